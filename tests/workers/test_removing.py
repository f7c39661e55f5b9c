"""Removing: nothing of a document stays in any table, any file, any answer; its receipt is a search, not a promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_rag import paths
from desktop_rag.errors import StoreError
from desktop_rag.workers import health
from desktop_rag.workers.removing import remove_document
from tests.workers.driving import add, counts, everything

if TYPE_CHECKING:
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


def files() -> bytes:
    return b"\n".join(file.read_bytes() for file in sorted(paths.data_dir().rglob("*")) if file.is_file())


def test_nothing_of_a_removed_document_stays(library: Library, two: tuple[str, str]) -> None:
    before = everything(library)
    assert {value for value in GONE if value in before} == set(GONE), "the test must be able to find what it looks for"
    receipt = remove_document(library, two[1])
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
    library.conversations.add_answer(conversation, "The rent is 950 euros.", {"citations": []}, [two[0]])
    assert remove_document(library, two[1])["answers_blanked"] == 1
    _, blanked, kept = library.conversations.one(conversation)["messages"]
    assert "gazebo" not in blanked["text"]
    assert blanked["data"] is None
    assert kept["text"] == "The rent is 950 euros."


def test_a_search_that_still_finds_something_is_not_verified(
    library: Library, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library.lexical, "remove", lambda chunks: None)
    library.db.execute("PRAGMA foreign_keys = OFF")
    assert remove_document(library, two[1])["verified"] is False


def test_a_cache_that_keeps_its_vectors_is_made_again(library: Library, two: tuple[str, str]) -> None:
    library.chroma.remove = lambda collection, chunks: 1 / 0  # type: ignore[method-assign, assignment, return-value]
    discard = library.chroma.discard
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library.chroma, "discard", lambda: (vars(library.chroma).pop("remove", None), discard())[1])
        assert remove_document(library, two[1])["verified"] is True
    assert library.chroma.count(1) == 1


def test_removing_twice_is_not_found(library: Library, two: tuple[str, str]) -> None:
    remove_document(library, two[1])
    with pytest.raises(StoreError) as caught:
        remove_document(library, two[1])
    assert caught.value.code == "not_found"
