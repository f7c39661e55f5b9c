"""What was found later is replaced in what was indexed before: wherever it is stored, once, also after a kill."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from desktop_rag.errors import StoreError
from desktop_rag.privacy.marks import Mark
from desktop_rag.privacy.scrub import put_back
from desktop_rag.store.connection import transaction
from desktop_rag.workers import cleaning_again, hits, indexing, questions, removing, ruling
from desktop_rag.workers.auditing import audit
from tests.workers.driving import add, counts, everything, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desktop_rag.workers.library import Library

pytestmark = pytest.mark.slow

# The recogniser sees nobody here; in the table it takes the tenant for a place, which stays by default.
OVERLOOKED = "the jaroslaw quimby method is described in chapter two\n"
TABLE = "room;tenant\n12;jaroslaw quimby\n13;empty\n"
LETTER = "The lease was signed by Jaroslaw Quimby on Friday.\n"
REVERSIBLE = ("pseudonymise", "substitute")
POLICIES = (*REVERSIBLE, "mask", "remove")


def indexed(library: Library, folder: Path, name: str, text: str, policy: str = "pseudonymise") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    (row,) = add(library, folder / name, policy=policy)
    assert row["state"] == "ready", row["error"]
    return str(row["id"])


def stored(library: Library, document: str) -> str:
    """The text of a document with the headings of its passages and all terms of the index."""
    pages = [page["text"] for page in library.documents.page_rows(document)]
    contexts = [chunk["context"] for chunk in library.documents.chunks(document)]
    terms = [row[0] for row in library.db.execute("SELECT term FROM terms")]
    return "\n".join([*pages, *contexts, *terms]).casefold()


def again(library: Library) -> int:
    return int(run(cleaning_again.clean_again(library))[1]["cleaned_again"])


def always(library: Library, term: str) -> None:
    ruling.add(library, {"term": term, "kind": "always", "collection": None})


def missed(library: Library, folder: Path, policy: str = "pseudonymise", text: str = OVERLOOKED) -> str:
    """A document with a name that was overlooked, and that is known now from another one."""
    document = indexed(library, folder, "method.txt", text, policy)
    assert again(library) == 0
    assert "quimby" in stored(library, document), "the recogniser finds this name now: choose another form"
    indexed(library, folder, "letter.txt", LETTER, policy)
    return document


def original(library: Library, document: str) -> list[tuple[int, int]]:
    """Where the replaced places of a document lie in its original."""
    pages = library.documents.page_rows(document)
    return [(s["start"], s["end"]) for p in pages for s in library.documents.spans(p["id"]) if s["replace"]]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_value_that_another_document_brings_is_taken_out(library: Library, tmp_path: Path, policy: str) -> None:
    document = missed(library, tmp_path, policy)
    assert run(audit(library, None))[1]["clean"] is False
    assert again(library) == 1
    text = stored(library, document)
    assert "quimby" not in text
    assert "jaroslaw" not in text
    at = OVERLOOKED.index("jaroslaw")
    assert original(library, document) == [(at, at + len("jaroslaw quimby"))]
    assert library.documents.row(document)["state"] == "ready"
    assert run(audit(library, None))[1]["clean"] is True
    assert len(set(counts(library).values())) == 1, "one passage each, with terms and a vector"
    assert again(library) == 0, "nothing is new any more"


def test_a_place_that_turns_out_to_be_a_person_is_taken_out(library: Library, tmp_path: Path) -> None:
    document = indexed(library, tmp_path, "table.csv", TABLE)
    assert "jaroslaw quimby" in stored(library, document)
    indexed(library, tmp_path, "letter.txt", LETTER)
    assert again(library) == 1
    assert "quimby" not in stored(library, document)


def test_the_same_person_stands_for_both_spellings(library: Library, tmp_path: Path) -> None:
    document = missed(library, tmp_path)
    again(library)
    token = next(iter(library.vault(1).entries.values())).pseudonym
    assert token in library.documents.page_rows(document)[0]["text"]
    hits = questions.find(library, "who is Jaroslaw Quimby", None, "bm25", 5)["hits"]
    assert {hit["name"] for hit in hits} == {"method.txt", "letter.txt"}
    assert put_back(token, questions.reveal(library, [token])) == "Jaroslaw Quimby"


def test_a_believable_stand_in_is_not_taken_for_the_value_of_another_document(library: Library, tmp_path: Path) -> None:
    document = indexed(library, tmp_path, "letter.txt", LETTER, "substitute")
    before = stored(library, document)
    stand_in = " ".join(library.documents.page_rows(document)[0]["text"].split()[5:7])
    with transaction(library.db):
        library.vault(1).resolve("PERSON", stand_in)
    assert again(library) == 0
    assert stored(library, document) == before


def test_a_file_that_has_gone_is_not_needed(library: Library, tmp_path: Path) -> None:
    document = missed(library, tmp_path)
    (tmp_path / "method.txt").unlink()
    assert again(library) == 1
    assert "quimby" not in stored(library, document)


def test_the_rest_of_the_text_and_all_places_stay_exact(library: Library, tmp_path: Path) -> None:
    text = (
        "Anna Kowalska pays the rent. Ask [PERSON_3].\n\nThe jaroslaw quimby method is described in chapter two.\n\n"
        "Erika Blumenthal is reached at erika.blumenthal@example.org \U0001f600 every day.\n"
    )
    document = missed(library, tmp_path, text=text)
    run(cleaning_again.clean_again(library))
    (page,) = library.documents.page_rows(document)
    shown = put_back(page["text"], questions.reveal(library, [page["text"]]))
    assert shown.casefold() == text.replace("[PERSON_3]", "(PERSON_3)").casefold()
    offsets = hits.page_offsets(library, page["id"])
    for word in ("rent", "method", "reached", "every"):
        assert text[offsets.to_original(page["text"].index(word)) :].startswith(word)
    for chunk in library.documents.chunks(document):
        assert chunk["text"] == page["text"][chunk["start"] : chunk["end"]]


def test_a_heading_that_passages_carry_along_is_cleaned(library: Library, tmp_path: Path) -> None:
    document = indexed(library, tmp_path, "a.txt", "The heating was repaired in spring.\n")
    with transaction(library.db):
        library.db.execute("UPDATE chunks SET context = 'rooms of jaroslaw quimby'")
    indexed(library, tmp_path, "letter.txt", LETTER)
    assert again(library) == 1
    (chunk,) = library.documents.chunks(document)
    assert chunk["context"].startswith("rooms of [PERSON_")


def test_a_new_rule_holds_for_what_is_indexed(library: Library, tmp_path: Path) -> None:
    document = indexed(library, tmp_path, "a.txt", "The plan for project falcon was changed in spring.\n")
    assert again(library) == 0
    always(library, "Project Falcon")
    assert again(library) == 1
    assert "falcon" not in stored(library, document)
    assert "[OWN_TERM_1]".casefold() in stored(library, document)
    assert again(library) == 0


def test_what_was_removed_in_the_midst_of_a_term_goes_with_it(library: Library, tmp_path: Path) -> None:
    text = "The amber Anna Kowalska kettle is hot, says Erika Blumenthal.\n"
    document = indexed(library, tmp_path, "a.txt", text, "remove")
    (page,) = library.documents.page_rows(document)
    assert page["text"].startswith("The amber  kettle is hot, says .")
    always(library, "amber kettle")
    assert again(library) == 1
    (page,) = library.documents.page_rows(document)
    assert page["text"].startswith("The  is hot, says .")
    spans = [text[start:end] for start, end in original(library, document)]
    assert spans == ["amber Anna Kowalska kettle", "Erika Blumenthal"]
    offsets = hits.page_offsets(library, page["id"])
    assert offsets.to_original(page["text"].index("is hot")) == text.index("is hot")


@pytest.mark.parametrize("policy", POLICIES)
def test_a_long_document_with_many_of_them(library: Library, tmp_path: Path, policy: str) -> None:
    said = "Sell the amber kettle in spring, says Anna Kowalska, and paint the fence with {} coats of green.\n\n"
    text = "".join(said.format(number) for number in range(150))
    document = indexed(library, tmp_path, "a.txt", text, policy)
    (before,), chunks = library.documents.page_rows(document), library.documents.chunks(document)
    assert len(chunks) > 5
    always(library, "the amber kettle")
    assert again(library) == 1
    (page,) = library.documents.page_rows(document)
    assert "kettle" not in stored(library, document)
    token = page["text"][len("Sell ") : page["text"].index(" in spring")]
    assert page["text"] == before["text"].replace("the amber kettle", token)
    after = library.documents.chunks(document)
    assert [chunk["text"] for chunk in after] == [c["text"].replace("the amber kettle", token) for c in chunks]
    assert [chunk["chunk"] for chunk in after] == [chunk["chunk"] for chunk in chunks]
    kettles = [match.span() for match in re.finditer("the amber kettle", text)]
    assert set(kettles) <= set(original(library, document))


def test_a_rule_of_another_collection_and_a_kept_document_change_nothing(library: Library, tmp_path: Path) -> None:
    kept = indexed(library, tmp_path, "kept.txt", "The project falcon was changed.\n", "keep")
    other = library.collections.create("Other", "pseudonymise", False)
    document = indexed(library, tmp_path, "a.txt", "The plan for project falcon was changed in spring.\n")
    ruling.add(library, {"term": "Project Falcon", "kind": "always", "collection": other["id"]})
    assert again(library) == 0
    always(library, "Project Falcon")
    assert again(library) == 1
    assert "falcon" in library.documents.page_rows(kept)[0]["text"]
    assert "falcon" not in library.documents.page_rows(document)[0]["text"]


def test_what_a_person_wants_to_stay_stays_and_nobody_is_asked_again(library: Library, tmp_path: Path) -> None:
    (tmp_path / "method.txt").write_text(OVERLOOKED)
    (row,) = add(library, tmp_path / "method.txt", review=True)
    place = OVERLOOKED.index("jaroslaw")
    page = library.documents.page_rows(row["id"])[0]["id"]
    library.reviews.store(page, [Mark(place, place + 15, "PERSON", 1.0, replace=False, decided=True)])
    run(indexing.accept(library, [row["id"]], {}))
    indexed(library, tmp_path, "letter.txt", LETTER)
    assert again(library) == 0
    assert "jaroslaw quimby" in library.documents.page_rows(row["id"])[0]["text"]
    assert run(audit(library, None))[1]["clean"] is True


def test_a_reviewed_document_is_cleaned_again_without_another_review(library: Library, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(TABLE)
    (row,) = add(library, tmp_path / "table.csv", review=True)
    run(indexing.accept(library, [row["id"]], {}))
    indexed(library, tmp_path, "letter.txt", LETTER)
    events, result = run(cleaning_again.clean_again(library))
    assert result["documents"] == [row["id"]]
    assert "reviewing" not in {event.get("state") for event in events}
    assert library.documents.row(row["id"])["state"] == "ready"
    assert "quimby" not in stored(library, row["id"])


def test_a_document_that_was_reviewed_before_the_value_was_known_is_looked_through(
    library: Library, tmp_path: Path
) -> None:
    (tmp_path / "table.csv").write_text(TABLE)
    (row,) = add(library, tmp_path / "table.csv", review=True)
    indexed(library, tmp_path, "letter.txt", LETTER)
    assert again(library) == 0
    result = run(cleaning_again.then_clean_again(library, indexing.accept(library, [row["id"]], {})))[1]
    assert result["cleaned_again"] == 1
    assert result["documents"][0]["pii"]["PERSON"] == 1
    assert "quimby" not in stored(library, row["id"])


def test_a_document_that_is_read_again_is_looked_through_for_everything(library: Library, tmp_path: Path) -> None:
    (tmp_path / "method.txt").write_text(OVERLOOKED)
    (row,) = add(library, tmp_path / "method.txt", review=True)
    run(indexing.accept(library, [row["id"]], {}))
    assert again(library) == 0
    run(indexing.read_again(library, [row["id"]]))
    indexed(library, tmp_path, "letter.txt", LETTER)
    assert again(library) == 0, "it waits for its review"
    run(indexing.accept(library, [row["id"]], {}))
    assert again(library) == 1
    assert "quimby" not in stored(library, row["id"])


def test_no_vector_and_no_memory_of_a_model_keeps_what_was_taken_out(library: Library, tmp_path: Path) -> None:
    document = missed(library, tmp_path)
    library.ensure_parity(1)
    before = list(library.vectors.get([chunk["chunk"] for chunk in library.documents.chunks(document)]).values())
    assert library.chroma.holds(before)
    generation = library.kv.generation
    again(library)
    library.ensure_parity(1)
    assert not library.chroma.holds(before)
    assert library.kv.generation != generation
    assert len(set(counts(library).values())) == 1


def test_a_kill_at_any_step_leaves_nothing_standing(open_library: Callable[[], Library], tmp_path: Path) -> None:
    library = open_library()
    document = missed(library, tmp_path)
    steps = 0
    while True:
        operation = cleaning_again.clean_again(library)
        ended = False
        for _ in range(steps):
            ended = next(operation, "ended") == "ended"
        operation.close()
        library.close()
        library = open_library()
        if ended:
            break
        state = library.documents.row(document)["state"]
        assert ("quimby" in stored(library, document)) == (state == "ready" and not original(library, document))
        if state == "indexing":
            result = run(cleaning_again.then_clean_again(library, indexing.resume(library)))[1]
            assert [row["state"] for row in result["documents"]] == ["ready"]
            assert len(set(counts(library).values())) == 1
            break
        steps += 1
    assert "quimby" not in stored(library, document)
    assert run(audit(library, None))[1]["clean"] is True


def test_a_document_that_is_removed_meanwhile_is_passed_over(library: Library, tmp_path: Path) -> None:
    document = missed(library, tmp_path)
    operation = cleaning_again.clean_again(library)
    while document not in library.at_work:
        next(operation)
    removing.remove_document(library, document)
    run(operation)
    assert "quimby" not in everything(library).casefold().replace("jaroslaw quimby", "", 2)


def test_a_full_disk_fails_no_adding_and_is_made_up_for(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = missed(library, tmp_path)

    def full(*_: Any) -> None:
        raise StoreError("disk_full", "The disk is full.", "Make room.")

    with monkeypatch.context() as patch:
        patch.setattr(library.conversations, "mend", full)
        result = run(cleaning_again.then_clean_again(library, indexing.resume(library)))[1]
    assert result == {"documents": [], "cleaned_again": None}
    assert library.documents.row(document)["state"] == "ready"
    assert "quimby" in stored(library, document)
    assert again(library) == 1
    assert "quimby" not in stored(library, document)


def test_an_answer_that_quotes_the_document_is_cleaned_with_it(library: Library, tmp_path: Path) -> None:
    document = indexed(library, tmp_path, "table.csv", TABLE)
    again(library)
    conversation, _ = library.conversations.add_question(None, 1, "Is jaroslaw quimby in room 12?")
    said = "It is jaroslaw quimby. Room 13 is empty."
    sentences = [{"start": 0, "end": 22}, {"start": 23, "end": len(said)}]
    data = {"answer": said, "sentences": sentences, "citations": [{"text": "12;jaroslaw quimby", "start": 12}]}
    library.conversations.add_answer(conversation, said, data, [document])
    indexed(library, tmp_path, "letter.txt", LETTER)
    assert again(library) == 1
    held = library.conversations.one(conversation)
    question, answer = held["messages"]
    assert "quimby" not in str(held).casefold()
    assert question["text"].startswith("Is [PERSON_")
    parts = [answer["text"][s["start"] : s["end"]] for s in answer["data"]["sentences"]]
    assert parts[0].startswith("It is [PERSON_")
    assert parts[0].endswith(".")
    assert parts[1] == "Room 13 is empty."
    assert answer["data"]["citations"][0]["start"] == 12


def test_an_answer_that_is_being_written_meanwhile_is_not_kept(library: Library, tmp_path: Path) -> None:
    indexed(library, tmp_path, "method.txt", OVERLOOKED)
    again(library)
    prepared = questions.prepare(library, {"question": "Which method is described in chapter two?"})
    assert "quimby" in prepared["passages"][0]["text"]
    indexed(library, tmp_path, "letter.txt", LETTER)
    assert again(library) == 1
    finished = questions.finish(library, {**prepared, "answer": "It is the jaroslaw quimby method."})
    assert finished["answer"] == questions.CHANGED
    assert "quimby" not in str(library.conversations.one(prepared["conversation"])).casefold()
