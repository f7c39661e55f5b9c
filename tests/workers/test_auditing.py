"""The audit: clean where all is well, and it names every place where a replaced value stands, but never the value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from desktop_rag import paths
from desktop_rag.retrieval.analyse import terms
from desktop_rag.store.connection import transaction
from desktop_rag.workers.auditing import audit
from tests.workers.driving import add, run

if TYPE_CHECKING:
    from pathlib import Path

    from desktop_rag.workers.library import Library

pytestmark = pytest.mark.slow

TEXT = (
    "The lease was signed by Erika Blumenthal on 3 May 2024. She is reached at erika.blumenthal@example.org.\n"
    "Her deposit goes to IBAN DE89 3704 0044 0532 0130 00 without delay.\n"
)
SECRETS = ("Blumenthal", "erika.blumenthal@example.org", "0532")


@pytest.fixture(params=["pseudonymise", "mask", "remove"])
def document(request: pytest.FixtureRequest, library: Library, tmp_path: Path) -> str:
    """One document with a person, an address and an account, under each policy."""
    (tmp_path / "lease.txt").write_text(TEXT)
    (row,) = add(library, tmp_path / "lease.txt", policy=request.param)
    assert row["pii"].keys() >= {"PERSON", "EMAIL_ADDRESS", "IBAN_CODE"}
    return str(row["id"])


def audited(library: Library) -> dict[str, Any]:
    result = run(audit(library, None))[1]
    assert not any(secret.casefold() in json.dumps(result).casefold() for secret in SECRETS), "a value was told"
    return result


def test_a_library_as_the_application_makes_it_is_clean(library: Library, document: str) -> None:
    result = audited(library)
    assert (result["traces"], result["tables"], result["not_readable"]) == ([], [], [])
    assert result["clean"] is True
    assert result["values"] >= 3
    assert result["files"] > 3
    assert result["bytes"] > 10_000


def test_a_value_in_a_file_is_found_in_whatever_form(library: Library, document: str) -> None:
    folder = paths.data_dir() / "somewhere"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps({"who": "ERIKA BLUMENTHAL"}))
    (folder / "b.bin").write_bytes(b"\x00\x01" + "erika.blumenthal@example.org".encode("utf-16-le"))
    (folder / "Erika Blumenthal.txt").write_text("nothing in here")
    result = audited(library)
    found = {(row["path"], row["form"], row["label"]) for row in result["traces"]}
    assert ("somewhere/a.json", "utf-8", "PERSON") in found
    assert ("somewhere/b.bin", "utf-16-le", "EMAIL_ADDRESS") in found
    assert ("somewhere/…", "file name", "PERSON") in found
    assert result["clean"] is False


def test_a_value_that_lies_in_a_cleaned_text_is_a_leak(library: Library, document: str) -> None:
    with transaction(library.db):
        library.db.execute("UPDATE pages SET text = text || ' Erika Blumenthal'")
        library.db.execute("UPDATE chunks SET context = 'Erika Blumenthal'")
        library.db.execute("INSERT INTO folders (collection_id, path) VALUES (1, '/home/erika blumenthal')")
    result = audited(library)
    kinds = {(row["table"], row["column"]): row["kind"] for row in result["tables"]}
    assert {row["document"] for row in result["tables"] if row["table"] == "pages"} == {"lease.txt"}
    assert kinds[("pages", "text")] == kinds[("chunks", "context")] == "leak"
    assert kinds[("folders", "path")] == "file name"
    assert result["clean"] is False
    assert result["traces"] == [], "the database itself is encrypted"


def test_a_word_that_no_passage_holds_any_more_is_a_leak(library: Library, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The IBAN is written down by Blumenthal, Mrs Blumenthal told the court.")
    add(library, tmp_path / "a.txt")
    library.vault(1).resolve("PERSON", "Blumenthal")
    assert audited(library)["clean"] is True
    with transaction(library.db):
        library.db.execute("INSERT INTO terms (term) VALUES (?)", terms("Blumenthal"))
    assert [(row["table"], row["kind"]) for row in audited(library)["tables"]] == [("terms", "leak")]


def test_a_table_that_comes_later_is_looked_at_as_well(library: Library, document: str) -> None:
    library.db.execute("CREATE TABLE invented (id INTEGER PRIMARY KEY, note TEXT)")
    library.db.execute("INSERT INTO invented (note) VALUES ('Erika Blumenthal was here')")
    assert {row["table"] for row in audited(library)["tables"]} == {"invented"}


def test_a_word_that_chroma_writes_by_itself_is_no_leak(library: Library, document: str) -> None:
    with transaction(library.db):
        library.vault(1).resolve("PERSON", "Records")
    library.chroma.open()
    written = b"".join(file.read_bytes() for file in paths.data_dir().rglob("chroma.sqlite3"))
    assert b" records " in written.lower(), "Chroma does not write this word any more: choose another"
    assert audited(library)["traces"] == []


def test_what_a_person_decided_to_keep_is_no_leak(library: Library, document: str) -> None:
    page = library.documents.page_rows(document)[0]
    kept = "the Blumenthal Foundation"
    text = f"{page['text']} {kept}"
    with transaction(library.db):
        library.db.execute("UPDATE pages SET text = ? WHERE id = ?", (text, page["id"]))
        library.db.execute(
            "INSERT INTO spans (page_id, start, end, scrubbed_start, scrubbed_end, label, score, replace)"
            " VALUES (?, 0, 1, ?, ?, 'ORGANIZATION', 1, 0)",
            (page["id"], len(text) - len(kept), len(text)),
        )
        library.db.execute("INSERT INTO entries (collection_id, label, number) VALUES (1, 'PERSON', 99)")
        library.db.execute(
            "INSERT INTO aliases (entry_id, folded, value) SELECT id, 'blumenthal', 'Blumenthal' FROM entries"
            " WHERE number = 99"
        )
    library.forget_vault(1)
    result = audited(library)
    assert {row["kind"] for row in result["tables"]} == {"kept"}
    assert result["clean"] is True


def test_values_that_nobody_knows_any_more_are_said_not_to_be_checked(library: Library, tmp_path: Path) -> None:
    (tmp_path / "lease.txt").write_text(TEXT)
    add(library, tmp_path / "lease.txt", policy="mask")
    (tmp_path / "lease.txt").unlink()
    result = audited(library)
    assert [row["name"] for row in result["not_readable"]] == [str(tmp_path / "lease.txt")]
    assert result["clean"] is False


def test_a_document_that_is_read_in_another_way_now_is_not_checked_with_wrong_places(
    library: Library, tmp_path: Path
) -> None:
    (tmp_path / "lease.txt").write_text(TEXT)
    (row,) = add(library, tmp_path / "lease.txt", policy="remove")
    library.documents.update(row["id"], parser_version="0")
    result = audited(library)
    assert "another way" in result["not_readable"][0]["cause"]
    assert result["clean"] is False


def test_a_file_that_cannot_be_read_is_named(library: Library, document: str) -> None:
    (paths.data_dir() / "broken.zip").write_bytes(b"PK\x03\x04 and nothing more")
    result = audited(library)
    assert [row["name"] for row in result["not_readable"]] == ["broken.zip"]
    assert result["clean"] is False


def test_one_collection_alone(library: Library, tmp_path: Path) -> None:
    (tmp_path / "lease.txt").write_text(TEXT)
    add(library, tmp_path / "lease.txt")
    library.collections.create("Empty", "mask", False)
    assert run(audit(library, "Empty"))[1]["values"] == 0
    assert run(audit(library, None))[1]["values"] >= 3


def test_the_log_of_the_database_is_read_before_it_is_merged(library: Library, document: str) -> None:
    log = paths.data_dir() / "library.db-wal"
    operation = audit(library, None)
    before = log.stat().st_size
    assert before > 0
    states = [log.stat().st_size for event in operation if event is not None and "files" in event["text"]]
    assert states[0] == before
    assert states[-1] == 0
