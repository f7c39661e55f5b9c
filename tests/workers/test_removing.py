"""Removing: nothing of a document stays in any table, any file, any answer; its receipt is a search, not a promise."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from desktop_rag import paths
from desktop_rag.errors import StoreError
from desktop_rag.workers import health, indexing, library_service, questions, receipts
from desktop_rag.workers.loop import Request
from desktop_rag.workers.removing import remove_document
from tests.workers.driving import add, counts, everything, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desktop_rag.workers.library import Library

pytestmark = pytest.mark.slow

SHARED = "The rent of 950 euros is paid by Jean Rivera to the owner of the house.\n"
DOOMED = f"{SHARED}The gazebo was painted by Erika Blumenthal, reached at erika@example.org, for 1200 euros.\n"
GONE = ("Blumenthal", "blumenthal", "erika@example.org", "gazebo", "doomed.txt")


@pytest.fixture
def two(library: Library, tmp_path: Path) -> tuple[str, str]:
    """A document that stays and one that goes; both speak of Jean Rivera."""
    (tmp_path / "stays.txt").write_text(SHARED)
    (tmp_path / "doomed.txt").write_text(DOOMED)
    rows = {row["name"]: row for row in add(library, tmp_path)}
    assert {row["state"] for row in rows.values()} == {"ready"}
    assert rows["doomed.txt"]["pii"] == {"EMAIL_ADDRESS": 1, "PERSON": 2}
    return rows["stays.txt"]["id"], rows["doomed.txt"]["id"]


def files(folder: str = "") -> bytes:
    found = sorted((paths.data_dir() / folder).rglob("*"))
    return b"\n".join(file.read_bytes() for file in found if file.is_file())


def removed(library: Library, document: str) -> dict[str, Any]:
    """Remove one document as the window does; its row in the receipt."""
    (row,) = run(receipts.remove(library, [document]))[1]["receipt"]["documents"]
    return row


def chroma_files() -> bytes:
    return files("chroma")


def vector_bytes(library: Library, document: str) -> bytes:
    """The start of the document's first vector as Chroma's files hold it."""
    (chunk, *_) = library.documents.chunks(document)
    return bytes(library.vectors.get([chunk["chunk"]])[chunk["chunk"]].tobytes()[:64])


def dense(library: Library, query: str) -> list[str]:
    """The documents a search by meaning finds."""
    found = questions.find(library, query, None, "dense", 10)["hits"]
    return [hit["document"] for hit in found]


def test_nothing_of_a_removed_document_stays(library: Library, two: tuple[str, str]) -> None:
    before = everything(library)
    assert {value for value in GONE if value in before} == set(GONE), "the test must be able to find what it looks for"
    receipt = removed(library, two[1])
    assert receipt["verified"] is True
    assert (receipt["document"], receipt["name"], receipt["chunks"]) == (two[1], "doomed.txt", 1)
    assert receipt["vault_entries"] == 2, "the painter and her address; the tenant is still in the other document"
    after = everything(library)
    assert {value for value in (*GONE, two[1]) if value in after} == set()
    library.chroma.close()
    raw = files()
    assert {value for value in (*GONE, two[1]) if value.encode() in raw} == set()


def test_what_another_document_uses_stays(library: Library, two: tuple[str, str]) -> None:
    remove_document(library, two[1])
    assert counts(library) == dict.fromkeys(counts(library), 1)
    values = [entry.value for entry in library.vault(library.default_collection()["id"]).entries.values()]
    assert values == ["Jean Rivera"]
    assert library.lexical.search("rent", [1])
    assert health.examine(library, "none")["index"]["parity"] is True
    remove_document(library, two[0])
    assert "Rivera" not in everything(library)
    assert library.db.execute("SELECT count(*) FROM terms").fetchone()[0] == 0


def test_answers_that_quote_it_are_blanked(library: Library, two: tuple[str, str]) -> None:
    conversation, _ = library.conversations.add_question(None, None, "Who painted it?")
    library.conversations.add_answer(conversation, "The gazebo was painted.", {"citations": ["gazebo"]}, [two[1]])
    other, _ = library.conversations.add_question(None, None, "And the rent?")
    library.conversations.add_answer(other, "The rent is 950 euros.", {"citations": []}, [two[0]])
    assert removed(library, two[1])["answers_blanked"] == 1
    blanked, kept = (library.conversations.one(one)["messages"][1] for one in (conversation, other))
    assert "gazebo" not in blanked["text"]
    assert blanked["data"] is None
    assert kept["text"] == "The rent is 950 euros."


def test_a_search_that_still_finds_something_is_not_verified(
    library: Library, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library.lexical, "remove", lambda chunks: 0)
    library.db.execute("PRAGMA foreign_keys = OFF")
    assert removed(library, two[1])["verified"] is False


def test_the_vectors_leave_chromas_files_and_the_others_come_back(library: Library, two: tuple[str, str]) -> None:
    doomed = vector_bytes(library, two[1])
    assert doomed in chroma_files(), "the test must be able to find what it looks for"
    assert removed(library, two[1])["verified"] is True
    assert doomed not in chroma_files()
    assert dense(library, "Who pays the rent?") == [two[0]]
    assert library.chroma.count(1) == 1
    assert vector_bytes(library, two[0]) in chroma_files()


def test_a_cache_that_keeps_the_vectors_is_not_verified(
    library: Library, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library.chroma, "discard", lambda: None)
    assert removed(library, two[1])["verified"] is False


def test_no_vector_stays_behind_when_a_collection_keeps_from_now_on(library: Library, two: tuple[str, str]) -> None:
    held = [vector_bytes(library, document) for document in two]
    collection = library.default_collection()["id"]
    operations = library_service._Operations(SimpleNamespace(library=library))
    run(operations.collection_update(Request(1, "collection_update", {"id": collection, "policy": "keep"})))
    assert not [one for one in held if one in chroma_files()]
    assert sorted(dense(library, "Who pays the rent?")) == sorted(two)
    library.chroma.close()
    assert not [one for one in held if one in chroma_files()]

    run(operations.collection_update(Request(2, "collection_update", {"id": collection, "policy": "pseudonymise"})))
    assert sorted(dense(library, "Who pays the rent?")) == sorted(two), "the emptied cache is filled again"
    assert library.chroma.count(collection) == 2


def test_a_kept_document_takes_the_cache_away_and_gives_it_back_when_it_goes(
    library: Library, two: tuple[str, str], tmp_path: Path
) -> None:
    collection = library.default_collection()["id"]
    (tmp_path / "kept.txt").write_text("The boiler is repaired in May.\n")
    operations = library_service._Operations(SimpleNamespace(library=library))
    adding = operations.add(Request(1, "add", {"paths": [str(tmp_path / "kept.txt")], "policy": "keep"}))
    next(adding)
    # A question may come between the request and the first row of the document.
    assert dense(library, "Who pays the rent?")
    (row,) = run(adding)[1]["documents"]
    assert row["state"] == "ready"
    assert not [document for document in two if vector_bytes(library, document) in chroma_files()]
    remove_document(library, row["id"])
    assert sorted(dense(library, "Who pays the rent?")) == sorted(two)
    assert library.chroma.count(collection) == 2


def test_a_collection_that_may_not_lie_in_chroma_any_more_is_found_at_the_next_start(
    open_library: Callable[[], Library], tmp_path: Path
) -> None:
    library = open_library()
    (tmp_path / "stays.txt").write_text(SHARED)
    (document,) = add(library, tmp_path)
    held = vector_bytes(library, document["id"])
    library.collections.update(library.default_collection()["id"], policy="keep")
    other = library.collections.create("Other", "mask", False)["id"]
    library.close()
    assert held in chroma_files()
    library = open_library()
    library.ensure_parity(other)
    assert held not in chroma_files()


def test_a_spelling_goes_with_the_last_document_that_has_it(library: Library, tmp_path: Path) -> None:
    texts = {"a": "The rent is paid by Maria Rivera.\n", "b": "The house was sold to Maria Consuelo Rivera.\n"}
    ids = {}
    for name, text in texts.items():
        (tmp_path / name).with_suffix(".txt").write_text(text)
        ids[name] = add(library, (tmp_path / name).with_suffix(".txt"))[0]["id"]
    (pseudonym,) = {f"[PERSON_{row[0]}]" for row in library.db.execute("SELECT number FROM entries")}
    assert questions.reveal(library, [pseudonym]) == {pseudonym: "Maria Consuelo Rivera"}
    assert removed(library, ids["b"])["verified"] is True
    assert questions.reveal(library, [pseudonym]) == {pseudonym: "Maria Rivera"}
    assert "Consuelo" not in everything(library)
    assert "consuelo" not in everything(library)


def test_an_earlier_version_that_a_kill_left_beside_the_newer_one_goes_at_the_next_start(
    open_library: Callable[[], Library], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "letter.txt"
    library = open_library()
    path.write_text(DOOMED)
    (old,) = add(library, path)
    path.write_text(SHARED)
    with monkeypatch.context() as patch:
        patch.setattr(indexing, "erase", lambda library, document: ())
        (new,) = add(library, path)
    assert counts(library)["ready"] == 2
    library.close()
    service = library_service.open_service(paths.data_dir(), {"seal": "none"})
    service.close()
    library = open_library()
    assert [row["id"] for row in library.documents.rows()] == [new["id"]] != [old["id"]]
    assert "gazebo" not in everything(library)


def test_removing_twice_is_not_found(library: Library, two: tuple[str, str]) -> None:
    remove_document(library, two[1])
    with pytest.raises(StoreError) as caught:
        remove_document(library, two[1])
    assert caught.value.code == "not_found"


def test_a_passage_of_two_documents_is_one_hit_and_stays_when_either_goes(library: Library, tmp_path: Path) -> None:
    for name in ("one.txt", "other.txt"):
        (tmp_path / name).write_text(f"{SHARED}The boiler was serviced in May.\n" + "\n" * len(name))
    first, second = (row["id"] for row in add(library, tmp_path))

    def hits() -> list[tuple[str, list[str]]]:
        found = questions.find(library, "Who paid the rent of the house?", None, "hybrid", 5)["hits"]
        return [(hit["document"], [other["document"] for other in hit["also"]]) for hit in found]

    ((shown, also),) = hits()
    assert {shown, *also} == {first, second}
    remove_document(library, shown)
    assert hits() == [(*also, [])]
