"""Collections, documents and conversations as rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop_rag.errors import DocumentError, StoreError, UsageError
from desktop_rag.store.collections import Collections
from desktop_rag.store.conversations import Conversations
from desktop_rag.store.documents import Documents
from desktop_rag.store.vault import StoredVault, delete_unused, open_vault


@pytest.fixture
def collection(db: Any) -> int:
    return int(Collections(db).create("Rents", "pseudonymise", True)["id"])


@pytest.mark.parametrize("name", ["", "  ", "Rents", " Rents "])
def test_a_name_that_is_empty_or_taken_is_refused(db: Any, collection: int, name: str) -> None:
    with pytest.raises(UsageError):
        Collections(db).create(name, "mask", False)
    assert len(Collections(db).all()) == 1


def test_an_unknown_policy_is_refused(db: Any) -> None:
    with pytest.raises(UsageError):
        Collections(db).create("Rents", "hide", False)


def test_a_collection_is_found_by_name_or_number_and_the_two_are_not_confused(db: Any, collection: int) -> None:
    collections = Collections(db)
    assert collections.find(str(collection)) is None, "a text is a name, never an id"
    named = collections.create(str(collection), "mask", False)
    assert collections.need(collection)["name"] == "Rents"
    assert collections.need("Rents")["id"] == collection
    assert collections.need(str(collection))["id"] == named["id"] != collection
    assert collections.find(str(named["id"])) is None
    assert collections.need(named["id"])["policy"] == "mask"
    with pytest.raises(StoreError) as caught:
        collections.need("Nothing")
    assert caught.value.code == "not_found"


def test_a_collection_changes_only_where_it_is_told(db: Any, collection: int) -> None:
    collections = Collections(db)
    assert collections.update(collection, name="Rents")["name"] == "Rents"
    changed = collections.update(collection, review=False)
    assert (changed["name"], changed["policy"], bool(changed["review"])) == ("Rents", "pseudonymise", False)


def test_counts_go_by_state(db: Any, collection: int) -> None:
    documents = Documents(db)
    one, two = (documents.add(Path(name), collection, "mask", False) for name in ("one", "two"))
    documents.update(one, state="ready")
    documents.fail(two, DocumentError("empty", "The file is empty."))
    (row,) = Collections(db).all()
    assert (row["documents"], row["states"]) == (2, {"ready": 1, "failed": 1})
    assert documents.unfinished() == []


NAMES = st.text(st.characters(blacklist_characters="\0/", blacklist_categories=()), min_size=1)


@given(NAMES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_any_path_comes_back_as_it_was(db: Any, name: str) -> None:
    collections, documents = Collections(db), Documents(db)
    collection = (collections.find("Any") or collections.create("Any", "mask", False))["id"]
    path = Path("/folder") / name
    document = documents.add(path, collection, "mask", False)
    assert documents.row(document)["path"] == str(path)
    assert document in documents.at_path(collection, path)
    documents.row(document)["name"].encode()


def test_deleting_a_collection_takes_everything_along(db: Any, collection: int) -> None:
    documents = Documents(db)
    document = documents.add(Path("one"), collection, "mask", False)
    span = {"start": 0, "end": 4, "label": "PERSON", "score": 1.0, "replace": True}
    documents.store_findings(document, [{"number": 1, "locator": None, "spans": [span]}])
    vault = open_vault(db, collection)
    vault.resolve("PERSON", "Jean Rivera")
    Collections(db).delete(collection)
    for table in ("collections", "documents", "pages", "spans", "entries", "aliases"):
        assert db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0, table


def test_the_vault_is_read_back_as_it_was_and_numbers_are_never_shared(db: Any, collection: int) -> None:
    other = int(Collections(db).create("Other", "pseudonymise", True)["id"])
    vault = open_vault(db, collection)
    entry = vault.resolve("PERSON", "Jean Rivera")
    foreign = open_vault(db, other).resolve("PERSON", "Maria Alvarez")
    assert entry.pseudonym != foreign.pseudonym
    again = open_vault(db, collection)
    assert {e.pseudonym: e.aliases for e in again.entries.values()} == {entry.pseudonym: entry.aliases}
    assert again.resolve("PERSON", "Jean Rivera").id == entry.id
    StoredVault(db, collection).add_alias(entry.id, "jean rivera", "JEAN RIVERA")
    assert open_vault(db, collection).entries[entry.id].aliases == entry.aliases
    assert delete_unused(db, collection)[0] == [entry.id]
    assert open_vault(db, collection).entries == {}
    assert list(open_vault(db, other).entries) == [foreign.id]


def test_messages_keep_their_order_and_their_parents(db: Any) -> None:
    conversations = Conversations(db)
    conversation, first = conversations.add_question(None, None, "What is [PERSON_1]’s rent?")
    answer = conversations.add_answer(conversation, "950 euros.", {"citations": [1]}, [])
    same, second = conversations.add_question(conversation, None, "And in 2024?")
    assert same == conversation
    messages = conversations.one(conversation)["messages"]
    assert [(m["id"], m["parent"], m["role"]) for m in messages] == [
        (first, None, "user"),
        (answer, first, "assistant"),
        (second, answer, "user"),
    ]
    assert messages[1]["data"] == {"citations": [1]}
    (row,) = conversations.all()
    assert (row["title"], row["messages"]) == ("What is [PERSON_1]’s rent?", 3)


def test_an_answer_inherits_what_earlier_answers_of_its_conversation_quote(db: Any) -> None:
    """The model reads them as history, so it may repeat them."""
    conversations = Conversations(db)
    conversation, _ = conversations.add_question(None, None, "Who painted it?")
    conversations.add_answer(conversation, "Nobody knows.", {"n": 1}, ["other"])
    conversations.add_answer(conversation, "A painter from Ghent.", {"n": 2}, ["doomed"])
    conversations.add_answer(conversation, "As said: from Ghent.", {"n": 3}, ["other"])
    elsewhere, _ = conversations.add_question(None, None, "And the rent?")
    conversations.add_answer(elsewhere, "950 euros.", {"n": 4}, ["other"])
    assert conversations.unquote("doomed") == 2
    texts = [m["text"] for m in conversations.one(conversation)["messages"]]
    assert texts[1] == "Nobody knows."
    assert not any("Ghent" in text for text in texts)
    assert conversations.one(elsewhere)["messages"][1]["data"] == {"n": 4}


@pytest.mark.parametrize(("newer", "gone"), [("ready", True), ("partly_read", True), ("reviewing", False)])
def test_a_version_is_superseded_once_a_newer_one_of_its_path_is_indexed(
    db: Any, collection: int, newer: str, gone: bool
) -> None:
    documents = Documents(db)
    other = int(Collections(db).create("Other", "pseudonymise", True)["id"])
    old, _, new, _ = (
        documents.add(Path(name), home, "mask", False)
        for name, home in (("one", collection), ("two", collection), ("one", collection), ("one", other))
    )
    documents.update(old, state="ready")
    assert documents.superseded() == []
    documents.update(new, state=newer)
    assert documents.superseded() == ([old] if gone else [])


def test_a_moved_document_is_the_newest_of_its_new_path(db: Any, collection: int) -> None:
    documents = Documents(db)
    moved, stale = (documents.add(Path(name), collection, "mask", False) for name in ("one", "two"))
    documents.update(moved, state="ready")
    documents.update(stale, state="ready")
    documents.move(moved, Path("two"))
    assert documents.superseded() == [stale]


def test_a_long_question_is_shortened_to_a_title_at_a_word(db: Any) -> None:
    conversations = Conversations(db)
    conversation, _ = conversations.add_question(None, None, "Who pays\n the rent " * 20)
    title = conversations.one(conversation)["title"]
    assert len(title) <= 61
    assert title.endswith("…")
    assert "\n" not in title


def test_conversations_are_renamed_and_deleted(db: Any) -> None:
    conversations = Conversations(db)
    conversation, _ = conversations.add_question(None, None, "Who?")
    conversations.rename(conversation, "  Rents  ")
    assert conversations.all()[0]["title"] == "Rents"
    conversations.rename(conversation, " ")
    assert conversations.all()[0]["title"] == "Untitled"
    conversations.delete(conversation)
    assert conversations.all() == []
    assert db.execute("SELECT count(*) FROM messages").fetchone()[0] == 0
    with pytest.raises(StoreError):
        conversations.one(conversation)


def test_a_number_is_never_given_to_a_second_person(db: Any, collection: int) -> None:
    """An old conversation that speaks of [PERSON_1] must not come to mean somebody else."""
    rows = StoredVault(db, collection)
    first, number = rows.add_entry("PERSON")
    assert delete_unused(db, collection) == ([first], [])
    assert rows.add_entry("PERSON")[1] == number + 1


def test_a_document_may_be_named_by_its_file_while_only_one_has_that_name(db: Any, collection: int) -> None:
    documents = Documents(db)
    first = documents.add(Path("/a/minutes.md"), collection, "mask", False)
    assert documents.identity("minutes.md") == first
    assert documents.identity(first) == first
    documents.add(Path("/b/minutes.md"), collection, "mask", False)
    assert documents.identity("minutes.md") == "minutes.md", "two have it: neither is meant"
