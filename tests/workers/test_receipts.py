"""Receipts: what is said to be gone is gone, also for who has the key, and whatever is left is found and told."""

from __future__ import annotations

import json
import os
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from desktop_rag import paths
from desktop_rag.store.connection import transaction
from desktop_rag.workers import absence, folders, indexing, library_service, receipts, removing
from desktop_rag.workers.loop import Request
from tests.workers.driving import add, everything, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desktop_rag.workers.library import Library

pytestmark = pytest.mark.slow

SHARED = "The rent of 950 euros is paid every month by Jean Rivera to the owner of the house.\n"
ONLY = "The gazebo behind the orangery was painted by Erika Blumenthal, reached at erika@example.org.\n"
SECRETS = ("Blumenthal", "erika@example.org", "gazebo", "orangery", "Rivera")


@pytest.fixture
def two(library: Library, tmp_path: Path) -> dict[str, str]:
    """A document that stays and one that goes; both have a line."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "stays.txt").write_text(SHARED)
    (folder / "doomed.txt").write_text(SHARED + ONLY)
    return {row["name"]: row["id"] for row in add(library, folder)}


def receipt(library: Library, *documents: str) -> dict[str, Any]:
    return dict(run(receipts.remove(library, documents))[1]["receipt"])


def said(library: Library) -> list[str]:
    """All messages and titles."""
    rows = library.db.execute("SELECT text FROM messages UNION ALL SELECT title FROM conversations").fetchall()
    return [row[0] for row in rows]


def test_a_receipt_says_what_went_and_where_was_looked(library: Library, two: dict[str, str]) -> None:
    issued = receipt(library, two["doomed.txt"])
    assert issued["verified"] is True
    assert (issued["found"], issued["unread"], issued["problem"]) == ({}, [], None)
    assert issued["erased"].items() >= {"pages": 1, "passages": 1, "vectors": 1, "vault_entries": 2}.items()
    assert issued["erased"]["terms"] >= 5
    assert issued["looked_for"]["shared"] >= 1, "the line that the other document has as well"
    assert issued["searched"]["searches"] >= 2
    assert issued["scanned"]["database_pages"] > 10
    database = (paths.data_dir() / "library.db").stat().st_size
    assert issued["scanned"]["files"] >= 3
    assert issued["scanned"]["bytes"] >= database
    assert any("Your own files were not touched" in note for note in issued["notes"])
    assert not [secret for secret in SECRETS if secret in json.dumps(issued)], "a receipt must not tell what was erased"


def test_a_word_that_hits_more_passages_than_sqlite_takes_values_is_judged(
    library: Library, two: dict[str, str]
) -> None:
    here = library.documents.chunks(two["stays.txt"])[0]["chunk"]
    many = [here] * 300_000
    assert list(library.documents.chunk_rows(many)) == [here]
    for hits, found in ((many, 0), ([*many, 987_654], 1)):
        proof = absence.Proof()
        assert list(absence._judge(library, hits, set(), "a search by words", proof))
        assert len(proof.found) == found


def test_a_trace_in_a_file_is_found(library: Library, two: dict[str, str]) -> None:
    (paths.data_dir() / "logs").mkdir(exist_ok=True)
    (paths.data_dir() / "logs" / "chat.log").write_text("answered: the gazebo behind the orangery was painted by …")
    issued = receipt(library, two["doomed.txt"], two["stays.txt"])
    assert list(issued["found"]) == [os.path.join("logs", "chat.log")]  # noqa: PTH118 - as this system writes it
    assert issued["verified"] is False
    assert "chat.log" in issued["problem"]
    assert [row["verified"] for row in issued["documents"]] == [False, True], "only what was found is in doubt"


def test_a_trace_in_the_free_room_of_the_database_is_found(library: Library, two: dict[str, str]) -> None:
    library.db.execute("PRAGMA secure_delete = OFF")
    issued = receipt(library, two["doomed.txt"])
    assert list(issued["found"]) == ["the free room of the library's file"]
    assert issued["verified"] is False


def test_a_trace_in_another_table_is_found(library: Library, two: dict[str, str]) -> None:
    library.collections.create("Painted by Erika Blumenthal", "mask", False)
    issued = receipt(library, two["doomed.txt"])
    assert "the names of the collections" in issued["found"]


def test_a_word_that_no_passage_has_is_a_trace(
    library: Library, two: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    remove = library.lexical.remove

    def forgetful(chunks: list[int]) -> int:
        gone = remove(chunks)
        library.db.execute("INSERT OR IGNORE INTO terms (term) VALUES ('gazebo')")
        return gone

    monkeypatch.setattr(library.lexical, "remove", forgetful)
    issued = receipt(library, two["doomed.txt"])
    assert "the words of the index" in issued["found"]
    assert issued["verified"] is False


def test_what_cannot_be_looked_into_is_said(
    library: Library, two: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (paths.data_dir() / "broken.zip").write_bytes(b"PK\x03\x04 and no more")
    monkeypatch.setattr("desktop_rag.store.raw_pages._FIRST", b"something else")
    issued = receipt(library, two["doomed.txt"])
    assert issued["unread"] == ["the library's decrypted pages", "broken.zip"]
    assert issued["verified"] is False
    assert issued["problem"].startswith("Could not be looked into")


def test_a_question_that_quotes_it_goes_with_its_title_and_another_stays(library: Library, two: dict[str, str]) -> None:
    quoting = "Is it true that the gazebo behind the orangery was painted by nobody?"
    own, other = "Who painted it, and when was that done, and why at all?", "How much is the rent of the house?"
    for question in (quoting, own, other):
        library.conversations.add_question(None, None, question)
    issued = receipt(library, two["doomed.txt"])
    assert issued["erased"]["questions"] == 1
    assert issued["verified"] is True
    assert said(library).count(own) == said(library).count(other) == 2
    assert not [text for text in said(library) if "gazebo" in text]


def test_what_only_another_document_says_stays_in_answers(library: Library, two: dict[str, str]) -> None:
    conversation, _ = library.conversations.add_question(None, None, "Who pays?")
    answer = "The rent of 950 euros is paid every month by its tenant."
    library.conversations.add_answer(conversation, answer, {}, [two["stays.txt"]])
    receipt(library, two["doomed.txt"])
    assert answer in said(library)


def test_many_documents_are_looked_for_once_and_leave_one_by_one(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(8):
        (tmp_path / f"{number}.txt").write_text(f"The boiler number {number} was repaired by its owner in May.\n")
    documents = [row["id"] for row in add(library, tmp_path)]
    looks: list[Path] = []
    listed = absence.written_files
    monkeypatch.setattr(absence, "written_files", lambda data_dir: looks.append(data_dir) or listed(data_dir))
    events, result = run(receipts.remove(library, documents))
    assert [event["document"] for event in events if event["event"] == "removed"] == documents
    assert events[-1]["event"] == "proving"
    assert (len(looks), result["receipt"]["verified"]) == (1, True)


def test_of_very_many_values_an_even_choice_is_looked_for(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(absence, "MOST_VALUES", 5)
    for number in range(8):
        (tmp_path / f"{number}.txt").write_text(f"The boiler number {number} was repaired by its owner in May.\n")
    issued = receipt(library, *(row["id"] for row in add(library, tmp_path)))
    assert issued["looked_for"]["values"] <= 5
    assert issued["looked_for"]["left_out"] >= 8
    assert issued["verified"] is True


def test_copies_from_before_a_newer_version_go(library: Library, two: dict[str, str]) -> None:
    copy = paths.data_dir() / "library.db.before-4"
    copy.write_bytes(b"all of it")
    assert receipt(library, two["doomed.txt"])["erased"]["older_copies"] == 1
    assert not copy.exists()


def test_saved_memory_of_a_model_goes(library: Library, two: dict[str, str]) -> None:
    folder = library.kv.current()["folder"]
    with open(os.path.join(folder, "state"), "wb") as file:  # noqa: PTH118, PTH123 - a folder's name
        file.write(b"memory")
    assert receipt(library, two["doomed.txt"])["erased"]["saved_memories"] == 1
    assert library.kv.is_empty()


def test_a_collection_goes_with_one_receipt(library: Library, two: dict[str, str]) -> None:
    collection = library.default_collection()["id"]
    operations = library_service._Operations(SimpleNamespace(library=library))
    _, result = run(operations.collection_delete(Request(1, "collection_delete", {"id": collection})))
    assert result["receipt"]["verified"] is True
    assert result["receipt"]["looked_for"]["shared"] == 0
    assert not [secret for secret in SECRETS if secret in everything(library)]


# -- watched folders ---------------------------------------------------------------------------


@pytest.fixture
def watched(library: Library, tmp_path: Path) -> dict[str, Any]:
    """A watched folder with one file, looked at once."""
    library.settings.set("review", False)
    root = tmp_path / "papers"
    root.mkdir()
    (root / "doomed.txt").write_text(ONLY)
    old = time.time() - 60
    os.utime(root / "doomed.txt", (old, old))
    folder = folders.watch(library, root, None)
    run(folders.sync(library, [library.folders.need(folder["id"])]))
    return folder


def test_the_log_of_a_folder_forgets_a_removed_file_which_will_come_again(
    library: Library, watched: dict[str, Any]
) -> None:
    assert [entry["name"] for entry in library.folders.entries(watched["id"])] == ["doomed.txt"]
    (row,) = library.documents.rows()
    issued = receipt(library, row["id"])
    assert library.folders.entries(watched["id"]) == []
    assert issued["erased"]["folder_notes"] == 1
    assert issued["verified"] is True
    assert any("watched folder" in note for note in issued["notes"])


def test_a_file_that_went_from_a_folder_gets_a_receipt(
    library: Library, watched: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "papers" / "other.txt").write_text(SHARED)
    (tmp_path / "papers" / "doomed.txt").unlink()
    _, result = run(folders.sync(library, [library.folders.need(watched["id"])]))
    issued = result["folders"][0]["receipt"]
    assert issued["verified"] is True
    assert [row["name"] for row in issued["documents"]] == ["doomed.txt"]
    assert ("removed", "doomed.txt") in [(e["change"], e["name"]) for e in library.folders.entries(watched["id"])]


# -- long documents ----------------------------------------------------------------------------


@pytest.fixture
def long(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A document that is erased in several steps, chunk by chunk."""
    monkeypatch.setattr(removing, "_CHUNKS_A_STEP", 1)
    (tmp_path / "long.txt").write_text("\n\n".join(f"The year {n} was dry. {ONLY * 12}" for n in range(1900, 1906)))
    (row,) = add(library, tmp_path / "long.txt")
    assert row["chunks"] >= 3
    return str(row["id"])


def in_the_middle(library: Library, document: str) -> Any:
    """An erasure that has taken away one chunk."""
    steps = removing.erase(library, document)
    chunks = len(library.documents.chunks(document))
    while len(library.documents.chunks(document)) == chunks:
        next(steps)
    return steps


def test_a_long_document_goes_in_steps(library: Library, long: str) -> None:
    steps = in_the_middle(library, long)
    assert library.documents.exists(long)
    assert long in library.at_work
    for _ in steps:
        pass
    assert not library.documents.exists(long)
    assert library.at_work == set()
    assert "gazebo" not in everything(library)


def test_a_long_document_is_proved_to_be_gone(library: Library, long: str) -> None:
    issued = receipt(library, long)
    assert (issued["verified"], issued["erased"]["vault_entries"]) == (True, 2)
    assert issued["erased"]["passages"] == issued["erased"]["vectors"] >= 3


def test_an_erasure_that_is_cancelled_in_the_middle_is_finished(library: Library, long: str) -> None:
    in_the_middle(library, long).close()
    assert not library.documents.exists(long)
    assert "gazebo" not in everything(library)


def test_an_erasure_that_a_kill_broke_off_is_finished_at_the_next_start(
    open_library: Callable[[], Library], library: Library, long: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = in_the_middle(library, long)
    with monkeypatch.context() as patch:
        patch.setattr(removing, "_drop", lambda *_: None)
        steps.close()
    assert library.documents.exists(long)
    library.close()
    library_service.open_service(paths.data_dir(), {"seal": "none"}).close()
    library = open_library()
    assert library.documents.rows() == []
    assert "gazebo" not in everything(library)


def test_a_failed_file_that_is_added_again_takes_its_quotes_along(library: Library, tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text(ONLY)
    (row,) = add(library, file)
    conversation, _ = library.conversations.add_question(None, None, "Who painted it?")
    library.conversations.add_answer(conversation, "The gazebo was painted.", {}, [row["id"]])
    with transaction(library.db):
        library.db.execute("UPDATE documents SET state = 'failed' WHERE id = ?", (row["id"],))
    file.write_text(SHARED)
    run(indexing.add(library, [str(file)], row["collection"] and 1, "pseudonymise", False))
    assert "The gazebo was painted." not in said(library)
