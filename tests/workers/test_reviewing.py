"""The review on real files: rules of a collection, places marked by hand, policies of single documents, boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from desktop_rag.errors import StoreError, UsageError
from desktop_rag.store.reviews import Reviews
from desktop_rag.workers import indexing, questions, receipts, reviewing, ruling, viewing
from tests.workers.driving import add, everything, run

if TYPE_CHECKING:
    from pathlib import Path

    from desktop_rag.workers.library import Library

pytestmark = pytest.mark.slow

LETTER = (
    "Jean Rivera met Maria Alvarez about the harbour dredging. The harbour-dredging is kept in Leeds.\n\n"
    "Write to maria@example.org, says Rivera.\n"
)


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    path = tmp_path / "letter.txt"
    path.write_text(LETTER)
    return path


def rule(library: Library, kind: str, term: str, **more: Any) -> dict[str, Any]:
    one = library.default_collection()["id"]
    row: dict[str, Any] = ruling.add(library, {"kind": kind, "term": term, "collection": one, **more})["rule"]
    return row


def shown(library: Library, document: str) -> dict[str, Any]:
    return run(reviewing.review(library, document))[1]


def spans(review: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The last span of each value, by what stands there."""
    return {page["text"][s["start"] : s["end"]]: s for page in review["pages"] for s in page["spans"]}


def cleaned(library: Library, document: str) -> str:
    return "\n".join(page["text"] for page in viewing.text(library, document)["pages"])


def accepted(library: Library, document: str, **decided: Any) -> str:
    """Index it with these ticks, marks and policy; returns its cleaned text."""
    ticks, marks, policy = decided.get("ticks", {}), decided.get("marks", []), decided.get("policy")
    policies = {document: policy} if policy else None
    run(indexing.accept(library, [document], {document: ticks}, {document: marks}, policies))
    return cleaned(library, document)


def test_rules_hold_for_documents_that_come_later(library: Library, letter: Path) -> None:
    rule(library, "always", "Harbour Dredging")
    rule(library, "never", "Maria Alvarez")
    (row,) = add(library, letter)
    text = cleaned(library, row["id"])
    assert "dredging" not in text
    assert text.count("[OWN_TERM_1]") == 2, "the two spellings are one term"
    assert "Maria Alvarez" in text
    assert row["pii"]["OWN_TERM"] == 2


def test_rules_of_another_collection_do_not_hold_and_those_for_all_do(library: Library, letter: Path) -> None:
    library.default_collection()
    other = library.collections.create("Other", "mask", False)["id"]
    ruling.add(library, {"kind": "always", "term": "Leeds", "collection": other})
    ruling.add(library, {"kind": "always", "term": "harbour dredging", "label": "company number"})
    text = cleaned(library, add(library, letter)[0]["id"])
    assert "Leeds" in text
    assert text.count("[COMPANY_NUMBER_1]") == 2


def test_a_collections_own_rule_comes_before_the_one_for_all(library: Library, letter: Path) -> None:
    ruling.add(library, {"kind": "always", "term": "harbour dredging"})
    rule(library, "never", "HARBOUR DREDGING")
    assert "harbour dredging" in cleaned(library, add(library, letter)[0]["id"])


def test_a_rule_made_during_the_review_holds_and_one_forgotten_leaves_nothing_uncovered(
    library: Library, letter: Path
) -> None:
    (row,) = add(library, letter, review=True)
    before = shown(library, row["id"])
    assert "harbour dredging" not in spans(before)
    made = [rule(library, "always", "harbour dredging"), rule(library, "never", "maria alvarez")]
    during = spans(shown(library, row["id"]))
    assert (during["harbour dredging"]["rule"], during["harbour dredging"]["replace"]) == ("always", True)
    assert (during["Maria Alvarez"]["rule"], during["Maria Alvarez"]["replace"]) == ("never", False)
    for each in made:
        ruling.forget(library, {"id": each["id"]})
    assert shown(library, row["id"]) == before
    text = accepted(library, row["id"])
    assert "Alvarez" not in text
    assert "harbour dredging" in text


def test_a_never_rule_forgotten_before_indexing_is_as_if_it_had_never_been(library: Library, letter: Path) -> None:
    made = rule(library, "never", "Maria Alvarez")
    (row,) = add(library, letter, review=True)
    ruling.forget(library, {"term": made["term"].upper(), "collection": library.default_collection()["id"]})
    assert "Alvarez" not in accepted(library, row["id"])


def test_a_persons_decision_comes_before_the_rules(library: Library, letter: Path) -> None:
    rule(library, "always", "harbour dredging")
    (row,) = add(library, letter, review=True)
    found = spans(shown(library, row["id"]))
    ticks = {str(found["harbour dredging"]["id"]): False}
    text = accepted(library, row["id"], ticks=ticks)
    assert "harbour dredging" in text, "this one place was unticked"
    assert "harbour-dredging" not in text


def test_rules_hold_for_questions_too(library: Library, letter: Path) -> None:
    add(library, letter)
    rule(library, "always", "Project Rivera")
    rule(library, "never", "Otto Falk")
    args = {"question": "Is Project Rivera about Otto Falk or the project-rivera of Anna Stark?", "mode": "bm25"}
    stored = questions.prepare(library, args)["question"]
    assert "Otto Falk" in stored
    assert not {"Project", "project", "Rivera", "rivera"} & set(stored.replace("-", " ").split()), stored
    assert "Stark" not in stored


def treat(library: Library, label: str, treatment: str, threshold: float | None = None) -> None:
    one = library.default_collection()["id"]
    args = {"label": label, "treatment": treatment, "threshold": threshold, "collection": one}
    ruling.treat(library, args)


def test_a_class_that_is_left_stands_and_one_that_is_replaced_does_not(library: Library, letter: Path) -> None:
    treat(library, "LOCATION", "replace")
    treat(library, "EMAIL_ADDRESS", "leave")
    (row,) = add(library, letter, review=True)
    listed = spans(shown(library, row["id"]))
    assert not listed["maria@example.org"]["replace"], "it is found and listed all the same"
    text = accepted(library, row["id"])
    assert "Leeds" not in text
    assert "[LOCATION_1]" in text
    assert "maria@example.org" in text
    assert not {"Rivera", "Alvarez"} & set(text.split())
    question = {"question": "Did Otto Falk write to otto@example.org from Oslo?", "mode": "bm25"}
    stored = questions.prepare(library, question)["question"]
    assert "otto@example.org" in stored
    assert not {"Otto", "Falk", "Oslo"} & set(stored.replace("?", "").split())


def test_a_treatment_changed_during_the_review_holds_and_a_persons_decision_comes_first(
    library: Library, letter: Path
) -> None:
    (row,) = add(library, letter, review=True)
    before = shown(library, row["id"])
    treat(library, "LOCATION", "replace")
    treat(library, "PERSON", "leave")
    rule(library, "always", "Maria Alvarez")
    during = spans(shown(library, row["id"]))
    assert [during[value]["replace"] for value in ("Leeds", "Jean Rivera", "Maria Alvarez")] == [True, False, True]
    assert not during["Jean Rivera"]["doubtful"], "it was not left in doubt"
    treat(library, "LOCATION", "default")
    treat(library, "PERSON", "default")
    ruling.forget(library, {"term": "Maria Alvarez", "collection": library.default_collection()["id"]})
    assert shown(library, row["id"]) == before
    treat(library, "PERSON", "leave")
    ticks = {str(during["Jean Rivera"]["id"]): True}
    text = accepted(library, row["id"], ticks=ticks)
    assert "Jean Rivera" not in text
    assert "Maria Alvarez" in text


def test_what_is_less_sure_than_its_class_wants_is_left_and_doubtful(library: Library, letter: Path) -> None:
    treat(library, "PERSON", "replace", 1.0)
    rule(library, "never", "Maria Alvarez")
    (row,) = add(library, letter, review=True)
    found = spans(shown(library, row["id"]))
    assert (found["Jean Rivera"]["replace"], found["Jean Rivera"]["doubtful"]) == (False, True)
    assert (found["Maria Alvarez"]["replace"], found["Maria Alvarez"]["doubtful"]) == (False, False)
    waiting = reviewing.summary(library, [row["id"]])["documents"][row["id"]]
    people = [span for page in shown(library, row["id"])["pages"] for span in page["spans"] if span["doubtful"]]
    assert waiting["doubtful"] == len(people) > 0


def test_a_question_over_several_collections_follows_the_one_that_replaces(library: Library) -> None:
    library.default_collection()
    library.collections.create("Other", "mask", False)
    treat(library, "PERSON", "leave")
    asked = {"question": "What did Otto Falk write?", "mode": "bm25"}
    one = library.default_collection()["id"]
    assert "Otto Falk" in questions.prepare(library, {**asked, "collection": one})["question"]
    assert "Otto Falk" not in questions.prepare(library, asked)["question"]


def test_what_is_marked_by_hand_is_replaced_and_merged_with_what_it_overlaps(library: Library, letter: Path) -> None:
    (row,) = add(library, letter, review=True)
    start = LETTER.index("met Maria")
    mark = {"page": 0, "start": start, "end": start + len("met Maria"), "label": "PERSON", "replace": True}
    run_decided = reviewing.decide(library, {"document": row["id"], "marks": [mark]})
    assert run_decided == {}
    found = spans(shown(library, row["id"]))
    assert "met Maria Alvarez" in found, "the mark and the name it overlaps are one"
    assert found["met Maria Alvarez"]["decided"]
    assert library.documents.row(row["id"])["state"] == "reviewing"
    text = accepted(library, row["id"])
    assert "met" not in text.split()
    assert "Alvarez" not in text


def test_a_mark_taken_back_uncovers_only_itself(library: Library, letter: Path) -> None:
    (row,) = add(library, letter, review=True)
    start = LETTER.index("Leeds")
    mark = {"page": 0, "start": start, "end": start + 5, "label": "LOCATION", "replace": True}
    for wanted in (True, False, True, False):
        reviewing.decide(library, {"document": row["id"], "marks": [{**mark, "replace": wanted}]})
        assert spans(shown(library, row["id"]))["Leeds"]["replace"] is wanted
    assert "Leeds" in accepted(library, row["id"])


@pytest.mark.parametrize("bad", [{"start": 5, "end": 5}, {"start": -1, "end": 2}, {"label": "[X"}, {"label": ""}])
def test_a_mark_that_is_none_changes_nothing(library: Library, letter: Path, bad: dict[str, Any]) -> None:
    (row,) = add(library, letter, review=True)
    mark = {"page": 0, "start": 0, "end": 4, "label": "PERSON", "replace": True} | bad
    with pytest.raises(UsageError):
        run(indexing.accept(library, [row["id"]], {}, {row["id"]: [mark]}))
    assert library.documents.row(row["id"])["state"] == "reviewing"


def test_marks_beyond_the_text_and_on_no_page_are_harmless(library: Library, letter: Path) -> None:
    (row,) = add(library, letter, review=True)
    last = {"page": 0, "start": len(LETTER) - 8, "end": 10**6, "label": "PERSON", "replace": True}
    assert "Rivera" not in accepted(library, row["id"], marks=[last, {**last, "page": 99}])


def test_ticks_for_another_document_change_nothing_there(library: Library, letter: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("Erika Blum wrote this.\n")
    one, two = (row["id"] for row in add(library, letter, other, review=True))
    foreign = {str(s["id"]): False for s in spans(shown(library, two)).values()}
    accepted(library, one, ticks=foreign)
    assert "Blum" not in accepted(library, two)


def test_a_document_may_have_a_policy_of_its_own_and_stays_known(library: Library, letter: Path) -> None:
    (row,) = add(library, letter, review=True)
    assert "[PERSON] met [PERSON]" in accepted(library, row["id"], policy="mask")
    assert add(library, letter, review=True)[0]["known"], "the same file is known although its policy is another one"


def test_a_document_that_keeps_everything_leaves_the_unencrypted_files(library: Library, letter: Path) -> None:
    (row,) = add(library, letter, review=True)
    assert accepted(library, row["id"], policy="keep") == LETTER.strip() or "Jean Rivera met" in cleaned(
        library, row["id"]
    )
    assert library.chroma.collections() == []
    assert library.documents.counts(row["id"])[1] == {}


def test_an_unknown_policy_is_refused(library: Library, letter: Path) -> None:
    (row,) = add(library, letter, review=True)
    with pytest.raises(UsageError):
        reviewing.decide(library, {"document": row["id"], "policy": "shred"})


def test_a_document_whose_decisions_cannot_be_stored_is_not_indexed(
    library: Library, letter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.txt"
    other.write_text("Erika Blum wrote this.\n")
    one, two = (row["id"] for row in add(library, letter, other, review=True))
    lay = Reviews._lay

    def full(self: Reviews, document: str, *args: Any) -> None:
        if document == two:
            raise StoreError("disk_full", "The disk is full.")
        lay(self, document, *args)

    monkeypatch.setattr(Reviews, "_lay", full)
    mark = {"page": 0, "start": 0, "end": 5, "label": "PERSON", "replace": True}
    with pytest.raises(StoreError):
        run(indexing.accept(library, [one, two], {}, {one: [mark], two: [mark]}))
    assert library.documents.row(one)["state"] == "ready"
    assert library.documents.row(two)["state"] == "reviewing"
    assert all(s["decided"] is False for s in spans(shown(library, two)).values())


def test_many_documents_are_summed_up_and_told_one_by_one(library: Library, letter: Path, tmp_path: Path) -> None:
    other, gone = tmp_path / "other.txt", tmp_path / "gone.txt"
    other.write_text("Erika Blum wrote to Rivera.\n")
    gone.write_text("Somebody else.\n")
    documents = [row["id"] for row in add(library, letter, other, gone, review=True)]
    gone.unlink()
    told = reviewing.summary(library, documents)["documents"]
    events, _ = run(reviewing.values(library, documents))
    assert [event["document"] for event in events] == documents
    assert events[2]["error"]["code"] == "not_found"
    for event in events[:2]:
        held = [span for page in event["pages"] for span in page["spans"]]
        assert told[event["document"]]["found"] == len(held) > 0
        assert told[event["document"]]["doubtful"] == sum(span["doubtful"] for span in held)
        for span in held:
            text = letter.read_text() if event["document"] == documents[0] else other.read_text()
            assert span["before"] + span["text"] + span["after"] in text
    assert "Rivera" not in everything(library)


def test_the_boxes_of_all_places_of_a_page_come_at_once(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "form.pdf"
    canvas = Canvas(str(path), pagesize=(400, 200))
    canvas.drawString(40, 150, "Signed by Jean Rivera today.")
    canvas.drawString(40, 100, "Ask maria@example.org for more.")
    canvas.save()
    (row,) = add(library, path, review=True)
    review = shown(library, row["id"])
    found = spans(review)
    wanted = [found[value] for value in ("Jean Rivera", "maria@example.org")]
    place = {"document": row["id"], "page": 1, "ranges": [[s["start"], s["end"]] for s in wanted]}
    answer = run(reviewing.boxes(library, place))[1]
    (name,), (mail,) = answer["boxes"]
    assert answer["page_size"] == [400.0, 200.0]
    assert name["x"] > 80
    assert name["y"] < 55 < mail["y"] < 105
    one = {**place, "locator": None, "start": wanted[0]["start"], "end": wanted[0]["end"]}
    assert run(viewing.locate(library, one))[1]["boxes"] == [name], "the same as for a citation"


def test_a_page_that_was_not_readable_is_told(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "scan.pdf"
    canvas = Canvas(str(path), pagesize=(400, 200))
    canvas.drawString(40, 150, "Signed by Jean Rivera today.")
    canvas.showPage()
    canvas.showPage()
    canvas.save()
    (row,) = add(library, path, review=True)
    review = shown(library, row["id"])
    unread = [page["unread"] for page in review["pages"]]
    assert unread[0] is None
    assert reviewing.summary(library, [row["id"]])["documents"][row["id"]]["unread"] == sum(map(bool, unread))


def test_a_rule_that_remembers_a_value_is_no_trace_of_a_removed_document(library: Library, letter: Path) -> None:
    rule(library, "always", "Maria Alvarez", label="PERSON")
    (row,) = add(library, letter)
    receipt = run(receipts.remove(library, [row["id"]]))[1]["receipt"]
    assert not [place for place in receipt["found"] if "library" in place], receipt["found"]
    assert receipt["looked_for"]["shared"] == 1, "what the rule says is the user's own"
    assert [each["term"] for each in library.rules.all()] == ["Maria Alvarez"]
