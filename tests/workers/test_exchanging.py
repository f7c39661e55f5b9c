"""An exported collection gives the same elsewhere, reveals nobody, and is imported wholly or not at all."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlcipher3 import dbapi2 as sqlite

from desktop_rag import paths
from desktop_rag.errors import DesktopRagError
from desktop_rag.settings import Settings
from desktop_rag.store import export_file, export_rows, passphrase
from desktop_rag.store.passphrase import unwrap
from desktop_rag.workers import cleaning_again, exchanging, health, indexing, questions, receipts, ruling, viewing
from desktop_rag.workers.library import Library
from desktop_rag.workers.removing import remove_document
from tests.workers.driving import add, everything, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow

PHRASE = b"correct horse battery"
LETTER = """# Service letter

The inspection of the feed pump was led by Rosalind Quillfeather on 3 March 2025. Questions
go to zq@planted.example.com.

## Warranty

The warranty of the pump ends after 24 months. Rosalind Quillfeather keeps the certificate in the safe of the office.
"""
LEASE = (
    "The landlord repairs the heating within two weeks after Bartholomew Crane has told him that it is broken.\n\n" * 9
)
QUESTION = "warranty of the pump"
# Without personal data: the vault stays at home, so that a name leads to its pseudonym there only.
WORDS = "inspection feed pump warranty ends after 24 months certificate safe office landlord heating broken".split()


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passphrases that cost next to nothing."""
    monkeypatch.setattr(passphrase, "_COST", {"memory_kib": 64, "iterations": 1, "lanes": 1})


@pytest.fixture
def elsewhere(models: dict[str, Any], tmp_path: Path) -> Iterator[Callable[[str], Library]]:
    """Opens libraries on other computers."""
    opened: list[Library] = []

    def make(name: str) -> Library:
        folder = paths.private_dir(tmp_path / name)
        Settings(folder).set("exact_up_to", 0)
        library = Library(folder)
        vars(library).update(models)
        opened.append(library)
        return library

    yield make
    for library in opened:
        library.close()


@pytest.fixture
def filled(library: Library, tmp_path: Path) -> Library:
    """A library with a letter, named after somebody, and a lease."""
    files = {"Letter to Rosalind Quillfeather.md": LETTER, "lease.txt": LEASE}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    add(library, *(tmp_path / name for name in files))
    return library


def export(library: Library, target: Path, *, originals: bool = False) -> dict[str, Any]:
    collection = library.default_collection()["id"]
    return run(exchanging.export_collection(library, collection, target, PHRASE, originals=originals))[1]


def bring(library: Library, file: Path, phrase: bytes = PHRASE) -> dict[str, Any]:
    return run(exchanging.import_collection(library, file, phrase))[1]


def texts(library: Library, collection: str) -> dict[str, list[Any]]:
    number = library.collections.need(collection)["id"]
    rows = library.documents.rows(number)
    return {row["id"]: [p["text"] for p in viewing.text(library, row["id"])["pages"]] for row in rows}


def found(library: Library, collection: str, mode: str, question: str) -> list[tuple[Any, ...]]:
    hits = questions.find(library, question, collection, mode, 10, False)["hits"]
    return [(hit["document"], hit["page"], hit["text"], round(hit["score"], 5)) for hit in hits]


def refused(library: Library, file: Path, phrase: bytes = PHRASE) -> DesktopRagError:
    before = everything(library)
    with pytest.raises(DesktopRagError) as caught:
        bring(library, file, phrase)
    assert everything(library) == before, "something was imported all the same"
    assert [p.name for p in library.data_dir.iterdir() if p.name.endswith(".import")] == [], "something was left behind"
    assert caught.value.hint
    return caught.value


def test_it_gives_the_same_elsewhere(filled: Library, elsewhere: Callable[[str], Library], tmp_path: Path) -> None:
    told = export(filled, tmp_path / "team.collection")
    assert (told["documents"], told["left_out"], told["originals"]) == (2, 0, False)
    other, name = elsewhere("other"), told["collection"]
    done = bring(other, tmp_path / "team.collection")
    assert (done["added"], done["removed"], done["encoded_anew"]) == (2, 0, 0)
    assert {row["state"] for row in done["documents"]} == {"ready"}
    assert texts(other, name) == texts(filled, name)
    assert health.examine(other, "-")["index"]["parity"] is True


@pytest.fixture
def both(filled: Library, elsewhere: Callable[[str], Library], tmp_path: Path) -> tuple[Library, Library]:
    """The library that was exported, and the one it was brought to."""
    export(filled, tmp_path / "team.collection")
    other = elsewhere("other")
    bring(other, tmp_path / "team.collection")
    return filled, other


@given(
    words=st.lists(st.sampled_from(sorted(set(WORDS))), min_size=1, max_size=8),
    mode=st.sampled_from(["bm25", "dense", "hybrid"]),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_asked_the_same_is_found(both: tuple[Library, Library], words: list[str], mode: str) -> None:
    there, here = (found(each, "My documents", mode, " ".join(words)) for each in both)
    assert here == there


def test_it_tells_nothing_of_what_was_replaced(
    filled: Library, elsewhere: Callable[[str], Library], tmp_path: Path
) -> None:
    collection = filled.default_collection()["id"]
    filled.collections.update(collection, name="Pumps of Rosalind Quillfeather")
    export(filled, tmp_path / "team.collection")
    content = (tmp_path / "team.collection").read_bytes()
    with export_file.opened(tmp_path / "team.collection", PHRASE, tmp_path) as (source, manifest):
        rows = [tuple(row) for table in export_rows.TABLES for row in source.execute(f"SELECT * FROM {table}")]
        names = [row[0] for row in source.execute("SELECT name FROM documents ORDER BY rowid")]
    assert names == ["Letter to [PERSON].md", "lease.txt"]
    row = next(row for row in filled.documents.rows() if row["name"].endswith(".md"))
    for secret in ("Quillfeather", "zq@planted", "Bartholomew", row["sha256"], str(tmp_path)):
        assert secret not in repr(rows), secret
        assert secret.encode() not in content
    # As a number of its own, also within a text: its three digits stand in random bytes now and then.
    told = "\n".join(str(cell) for cells in rows for cell in cells if not isinstance(cell, bytes))
    assert not re.search(rf"\b{row['size']}\b", told), "its size tells which file it was"
    assert row["size"] not in manifest.values()
    assert (manifest["name"], manifest["secret"]) == ("Pumps of [PERSON]", None)
    other = elsewhere("other")
    name = bring(other, tmp_path / "team.collection")["collection"]
    assert questions.reveal(other, [text for pages in texts(other, name).values() for text in pages]) == {}


def test_a_name_is_told_unless_it_may_be_somebodys(filled: Library, tmp_path: Path) -> None:
    collection = filled.default_collection()["id"]
    called = {
        "lease.txt": "lease.txt",
        "Heating 2025.pdf": "Heating 2025.pdf",
        "zq@planted.example.com.eml": "[EMAIL_ADDRESS].eml",
        "quillfeather.txt": "[PERSON].txt",
        "2024_BARTHOLOMEW-CRANE_signed.pdf": "2024 [PERSON] signed.pdf",
        "Letter of Konstantin Abelard.docx": "Letter of [PERSON].docx",
    }
    assert {name: exchanging._cleaned(filled, collection, name) for name in called} == called


def test_the_originals_come_only_when_asked_for(
    filled: Library, elsewhere: Callable[[str], Library], tmp_path: Path
) -> None:
    export(filled, tmp_path / "team.collection", originals=True)
    other = elsewhere("other")
    bring(other, tmp_path / "team.collection")
    said = [text for pages in texts(other, "My documents").values() for text in pages]
    assert questions.reveal(other, said) == questions.reveal(filled, said)
    assert "Rosalind Quillfeather" in questions.reveal(other, said).values()
    assert found(other, "My documents", "bm25", "Quillfeather") == found(filled, "My documents", "bm25", "Quillfeather")


@pytest.mark.parametrize("originals", [False, True])
def test_a_pseudonym_never_means_somebody_else(
    filled: Library, elsewhere: Callable[[str], Library], tmp_path: Path, originals: bool
) -> None:
    export(filled, tmp_path / "team.collection", originals=originals)
    other = elsewhere("other")
    other.collections.create("Mine", "pseudonymise", False)
    (tmp_path / "mine.txt").write_text("The invoice was paid by Konstantin Abelard in May.", encoding="utf-8")
    add(other, tmp_path / "mine.txt")
    name = bring(other, tmp_path / "team.collection")["collection"]
    said = [text for pages in texts(other, name).values() for text in pages]
    values = questions.reveal(other, said)
    assert "Konstantin Abelard" not in values.values()
    assert ("Rosalind Quillfeather" in values.values()) == originals
    for row in other.documents.rows(other.collections.need(name)["id"]):
        for chunk in other.documents.chunks(row["id"]):
            assert chunk["text"].strip(), "a passage lost its place"
            assert "PERSON_1]" not in chunk["text"]
    # Imported again, the same stay the same.
    assert bring(other, tmp_path / "team.collection")["unchanged"] == 2
    assert [text for pages in texts(other, name).values() for text in pages] == said


def test_imported_again_it_is_brought_up_to_date(
    filled: Library, elsewhere: Callable[[str], Library], tmp_path: Path
) -> None:
    other = elsewhere("other")
    export(filled, tmp_path / "first")
    bring(other, tmp_path / "first")
    before = everything(other)
    done = bring(other, tmp_path / "first")
    assert (done["added"], done["unchanged"], done["removed"]) == (0, 2, 0)
    assert len(everything(other)) == len(before), "there are doubles"
    lease = next(row["id"] for row in filled.documents.rows() if row["name"] == "lease.txt")
    remove_document(filled, lease)
    (tmp_path / "new.txt").write_text("The boiler is cleaned every autumn.", encoding="utf-8")
    add(filled, tmp_path / "new.txt")
    export(filled, tmp_path / "second")
    done = bring(other, tmp_path / "second")
    assert (done["added"], done["unchanged"], done["removed"]) == (1, 1, 1)
    assert texts(other, "My documents") == texts(filled, "My documents")
    assert health.examine(other, "-")["index"]["parity"] is True


def test_where_it_comes_from_it_is_refused(filled: Library, tmp_path: Path) -> None:
    export(filled, tmp_path / "own")
    assert "exported from this very library" in refused(filled, tmp_path / "own").message


def test_a_citation_opens_at_the_text(filled: Library, elsewhere: Callable[[str], Library], tmp_path: Path) -> None:
    export(filled, tmp_path / "team.collection")
    other = elsewhere("other")
    bring(other, tmp_path / "team.collection")
    (hit, *_) = questions.find(other, "certificate in the safe", None, "hybrid", 10, False)["hits"]
    shown = run(viewing.view(other, hit["document"]))[1]
    assert (shown["original"], shown["paged"]) == (False, False)
    assert "came with an imported collection" in shown["note"]
    place = run(viewing.locate(other, {**hit, "boxes": False}))[1]
    page = next(page for page in shown["pages"] if page["page"] == hit["page"])
    assert "certificate in the safe" in page["text"][place["start"] : place["end"]]


def test_what_an_encoder_of_elsewhere_made_is_made_anew(
    filled: Library, elsewhere: Callable[[str], Library], tmp_path: Path
) -> None:
    filled.db.execute("UPDATE encoders SET fingerprint = 'of another version'")
    export(filled, tmp_path / "team.collection")
    other = elsewhere("other")
    assert bring(other, tmp_path / "team.collection")["encoded_anew"] == 2
    assert found(other, "My documents", "dense", "who repairs the heating?")[0][2].startswith("The landlord")
    assert health.examine(other, "-")["index"]["parity"] is True


def test_killed_after_its_rows_the_next_start_goes_on(
    filled: Library, elsewhere: Callable[[str], Library], tmp_path: Path
) -> None:
    export(filled, tmp_path / "team.collection")
    other = elsewhere("other")
    running = exchanging.import_collection(other, tmp_path / "team.collection", PHRASE)
    next(event for event in running if event is not None and event["event"] == "progress" and "files_done" in event)
    running.close()
    other.close()
    again = elsewhere("other")
    run(indexing.resume(again))
    for mode in ("bm25", "hybrid"):
        there, here = (found(each, "My documents", mode, QUESTION) for each in (filled, again))
        assert here == there
    assert health.examine(again, "-")["index"]["parity"] is True


def test_a_wrong_passphrase_is_told(filled: Library, elsewhere: Callable[[str], Library], tmp_path: Path) -> None:
    export(filled, tmp_path / "team.collection")
    assert refused(elsewhere("other"), tmp_path / "team.collection", b"another one").code == "wrong_key"


def test_what_is_no_export_is_told(elsewhere: Callable[[str], Library], tmp_path: Path) -> None:
    other, file = elsewhere("other"), tmp_path / "file"
    file.write_text("nothing of the kind", encoding="utf-8")
    assert "no exported collection" in refused(other, file).message
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("letter.txt", "hello")
    assert "no exported collection" in refused(other, file).message
    file.unlink()
    assert refused(other, file).code == "bad_request"


@pytest.fixture
def exported(filled: Library, tmp_path: Path) -> Path:
    export(filled, tmp_path / "team.collection")
    return tmp_path / "team.collection"


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_that_is_not_whole_imports_nothing(exported: Path, tmp_path: Path, data: st.DataObject) -> None:
    content = exported.read_bytes()
    damaged = tmp_path / "damaged"
    if data.draw(st.booleans()):
        damaged.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    else:
        at = data.draw(st.integers(40, len(content) - 700))
        damaged.write_bytes(content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :])
    with (
        pytest.raises(DesktopRagError) as caught,
        export_file.opened(damaged, PHRASE, tmp_path),
    ):
        pass
    assert caught.value.code in ("damaged", "wrong_key")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("UPDATE pages SET text = text || '!' WHERE rowid = 1", "damaged"),
        ("DELETE FROM chunks WHERE ordinal = 0", "damaged"),
        ("UPDATE chunks SET end = 100000 WHERE ordinal = 0", "damaged"),
        ("UPDATE vectors SET vector = x'0000'", "damaged"),
        ("UPDATE documents SET policy = 'whatever'", "damaged"),
        ("""UPDATE manifest SET value = '"whatever"' WHERE name = 'fusion'""", "bad_request"),
        ("CREATE VIEW more AS SELECT 1", "damaged"),
        ("UPDATE manifest SET value = '99' WHERE name = 'format'", "newer_schema"),
        ("DELETE FROM manifest", "damaged"),
    ],
)
def test_whatever_disagrees_imports_nothing(
    exported: Path, elsewhere: Callable[[str], Library], tmp_path: Path, change: str, code: str
) -> None:
    forged = _forged(exported, tmp_path, change)
    assert refused(elsewhere("other"), forged).code == code


def _forged(exported: Path, tmp_path: Path, change: str) -> Path:
    """The export as somebody who knows the passphrase could have changed it."""
    with zipfile.ZipFile(exported) as archive:
        facts = json.loads(archive.read("export.json"))
        archive.extract("collection.db", tmp_path)
    raw = unwrap(facts["key"], PHRASE)
    assert raw is not None
    database = tmp_path / "collection.db"
    connection = sqlite.connect(str(database), isolation_level=None)
    connection.execute(f"PRAGMA key = \"x'{raw.hex()}'\"")
    connection.execute(change)
    connection.close()
    forged = tmp_path / "forged"
    shutil.rmtree(forged, ignore_errors=True)
    export_file._pack(database, forged, facts["key"])
    return forged


def test_an_imported_document_is_cleaned_again_and_removed_like_any_other(
    exported: Path, elsewhere: Callable[[str], Library]
) -> None:
    other = elsewhere("other")
    bring(other, exported)
    ruling.add(other, {"term": "feed pump", "kind": "always", "label": "PRODUCT", "collection": None})
    run(cleaning_again.clean_again(other))
    said = "\n".join(text for pages in texts(other, "My documents").values() for text in pages)
    assert "feed pump" not in said
    assert "inspection of the [PRODUCT_1]" in said
    letter = next(row["id"] for row in other.documents.rows() if row["name"].endswith(".md"))
    receipt = run(receipts.remove(other, [letter]))[1]["receipt"]
    assert receipt["verified"]
    assert health.examine(other, "-")["index"]["parity"] is True
