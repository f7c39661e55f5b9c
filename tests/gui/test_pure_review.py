"""The review without a window: ticks, rules, marks by hand, many documents, and taking back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.gui.review.decisions import Decisions, Span
from desktop_rag.gui.review.entries import headings
from desktop_rag.gui.review.session import Session
from desktop_rag.gui.review.stand_ins import stand_in
from desktop_rag.gui.review.value_list import becomes, spoken
from desktop_rag.privacy.rules import ALWAYS, NEVER
from tests.gui.script import FOUND, TEXT
from tests.gui.scripted import ScriptedBackend


def row(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "name": name, "collection": "Pumps", "policy": "pseudonymise", **more}


def told(name: str) -> dict[str, Any]:
    return ScriptedBackend().library.call("review", document=name)


def values(name: str) -> dict[str, Any]:
    return next(iter(ScriptedBackend().library.stream("review_values", documents=[name])))


def opened(*names: str) -> Session:
    session = Session([row(name) for name in names])
    for name in names:
        session.take(told(name))
    return session


def one(decisions: Decisions, text: str) -> Span:
    return next(span for span in decisions.spans if span.text == text)


def state(session: Session) -> list[tuple[Any, ...]]:
    return [(d.document, s.first, s.last, s.label, s.replace, s.rule, s.checked) for d, s in session.spans()]


def test_only_changed_decisions_are_sent() -> None:
    session = opened("a.pdf")
    (decisions,) = session.decisions.values()
    assert session.request() == {"decisions": {}, "marks": {}, "policies": {}}
    person = one(decisions, "Daniel Hughes")
    session.decide([(decisions, person)], replace=False)
    assert session.request() == {"decisions": {"a.pdf": {person.id: False}}, "marks": {}, "policies": {}}
    assert decisions.text[person.start : person.end] == "Daniel Hughes"
    session.stored("a.pdf", session.asked("a.pdf"))
    assert session.request()["decisions"] == {}, "what is stored is not sent again"
    session.decide([(decisions, person)], replace=True)
    assert session.request()["decisions"] == {"a.pdf": {person.id: True}}


def test_what_changed_while_it_was_stored_is_sent_again() -> None:
    session = opened("a.pdf")
    (decisions,) = session.decisions.values()
    person = one(decisions, "Daniel Hughes")
    session.decide([(decisions, person)], replace=False)
    asked = session.asked("a.pdf")
    session.decide([(decisions, person)], replace=True)
    session.stored("a.pdf", asked)
    assert session.request()["decisions"] == {"a.pdf": {person.id: True}}


def test_a_value_stands_in_its_context() -> None:
    (decisions,) = opened("a.pdf").decisions.values()
    for span in decisions.spans:
        assert span.before + span.text + span.after in TEXT
        assert len(span.before) == min(60, span.first)


def test_a_rule_decides_about_every_document_of_the_collection_and_can_be_taken_back() -> None:
    session = Session([row("a.pdf"), row("b.pdf"), row("other.pdf", collection="Contracts"), row("late.pdf")])
    for name in ("a.pdf", "b.pdf", "other.pdf"):
        session.take(told(name))
    before = state(session)
    span = one(session.decisions["a.pdf"], "Daniel Hughes")
    step, rule = session.obey(NEVER, span, "a.pdf")
    assert rule == {"kind": "never", "term": "Daniel Hughes", "collection": "Pumps"}
    session.take(values("late.pdf"))
    fates = {name: one(each, "Daniel Hughes").replace for name, each in session.decisions.items()}
    assert fates == {"a.pdf": False, "b.pdf": False, "other.pdf": True, "late.pdf": False}
    answer = {"rule": {"id": 5, "term": "Daniel Hughes"}, "before": None}
    assert session.made(step, answer)
    assert session.undo() == [answer]
    assert [each for each in state(session) if each[0] != "late.pdf"] == before
    assert not session.made(step, answer), "stored after it was taken back: it has to be forgotten"


def test_an_always_rule_covers_places_that_were_not_found() -> None:
    review = told("a.pdf")
    page = review["pages"][0]
    page["text"] += "\n\nSigned: DANIEL-HUGHES."
    session = Session([row("a.pdf")])
    decisions = session.take(review)
    session.obey(ALWAYS, one(decisions, "Daniel Hughes"), "a.pdf")
    found = decisions.spans[-1]
    assert (found.text, found.label, found.replace, found.rule) == ("DANIEL-HUGHES", "PERSON", True, "always")
    start = page["text"].index("DANIEL")
    mark = {"page": 0, "start": start, "end": start + 13, "label": "PERSON", "replace": True}
    assert session.request()["marks"] == {"a.pdf": [mark]}


def test_a_stretch_marked_by_hand_takes_in_what_it_overlaps_everywhere_it_reads_the_same() -> None:
    review = told("a.pdf")
    page = review["pages"][0]
    page["text"] += " 👷 the control room, THE CONTROL ROOM"
    session = Session([row("a.pdf")])
    decisions = session.take(review)
    start = page["text"].index(" the control room")
    count = len(decisions.spans)
    assert session.mark(decisions, start, start + 17, "LOCATION", everywhere=True)
    marked = [span.text for span in decisions.spans if span.label == "LOCATION"]
    assert marked == ["the control room", "the control room", "THE CONTROL ROOM"]
    assert len(decisions.spans) == count + 3
    start = TEXT.index("led by Marta")
    assert session.mark(decisions, start, start + len("led by Marta"), "PERSON", everywhere=False)
    assert one(decisions, "led by Marta Lindqvist").replace
    assert not any(span.text == "Marta Lindqvist" for span in decisions.spans)
    session.undo()
    session.undo()
    assert session.request() == {"decisions": {}, "marks": {}, "policies": {}}
    assert len(decisions.spans) == count


def test_a_mark_over_two_pages_is_one_on_each() -> None:
    review = told("a.pdf")
    review["pages"][1] = {"page": 2, "locator": None, "text": "Second page", "unread": None, "spans": []}
    session = Session([row("a.pdf")])
    decisions = session.take(review)
    end = decisions.text.index("Second page") + 6
    assert session.mark(decisions, len(TEXT) - 3, end, "PERSON", everywhere=False)
    assert [(span.page, span.text) for span in decisions.spans[-2:]] == [
        (0, "GB29 NWBK 6016 1331 9268 19."),
        (1, "Second"),
    ]


def test_nothing_is_marked_where_there_is_no_word() -> None:
    session = opened("a.pdf")
    (decisions,) = session.decisions.values()
    before = state(session)
    assert not session.mark(decisions, len(TEXT) - 1, len(TEXT), "PERSON", everywhere=True)
    assert (state(session), session.can_undo) == (before, False)


def test_a_value_is_decided_once_for_all_documents_those_that_come_later_too() -> None:
    session = Session([row("a.pdf"), row("b.pdf"), row("gone.pdf")])
    session.take(values("a.pdf"))
    entry = next(e for h in headings(session.spans(), together=True) for e in h.entries if e.span.text == "Priya Raman")
    session.set_everywhere([(entry.label, entry.span.key)], replace=False)
    assert session.must_wait, "the other documents may hold it too"
    session.take(values("b.pdf"))
    session.cannot_read({"document": "gone.pdf", "error": {"message": "The file is gone."}})
    assert not session.must_wait
    assert session.request()["decisions"] == {"a.pdf": {7: False}, "b.pdf": {7: False}}


def test_decisions_made_without_the_text_hold_when_it_comes() -> None:
    session = Session([row("a.pdf")])
    decisions = session.take(values("a.pdf"))
    person = one(decisions, "Daniel Hughes")
    session.decide([(decisions, person)], replace=False)
    assert session.take(told("a.pdf")) is decisions
    assert decisions.is_read
    assert one(decisions, "Daniel Hughes") is person
    assert not person.replace
    assert decisions.text[person.start : person.end] == person.text


def test_a_policy_is_chosen_for_one_document_or_for_all() -> None:
    session = opened("a.pdf", "b.pdf")
    session.set_policy("mask", ["a.pdf"])
    assert session.policies() == {"mask", "pseudonymise"}
    assert session.request()["policies"] == {"a.pdf": "mask"}
    session.set_policy("pseudonymise", ["a.pdf", "b.pdf"])
    assert session.request()["policies"] == {}


def test_equal_values_are_one_row_with_their_count_and_the_doubtful_come_first() -> None:
    session = opened("a.pdf", "b.pdf")
    found = headings(session.spans(), together=True)
    assert found[0].name == "To check"
    (doubtful,) = found[0].entries
    assert (doubtful.span.text, len(doubtful.places), doubtful.note) == ("Priya Raman", 2, "2× in 2")
    assert sum(len(heading.entries) for heading in found) == len(FOUND)


def test_twenty_thousand_values_stay_few_rows() -> None:
    session = Session([row(f"{number}.txt") for number in range(200)])
    for number in range(200):
        spans = [
            {"id": n, "start": 10 * n, "end": 10 * n + 5, "label": "PERSON", "replace": True, "doubtful": n % 9 == 0,
             "text": f"Name {n % 50}", "before": "by ", "after": " and"}
            for n in range(100)
        ]  # fmt: skip
        page = {"page": None, "locator": None, "unread": None, "spans": spans}
        session.take({"document": f"{number}.txt", "name": f"{number}.txt", "pages": [page]})
    found = headings(session.spans(), together=True)
    assert sum(len(heading.entries) for heading in found) == 50
    session.set_everywhere([("PERSON", found[0].entries[0].span.key)], replace=False)
    assert sum(len(each) for each in session.request()["decisions"].values()) == 400


@given(st.data())
def test_taking_everything_back_is_the_beginning(data: st.DataObject) -> None:
    session = opened("a.pdf", "b.pdf")
    before = state(session)
    for _ in range(data.draw(st.integers(0, 6))):
        places = list(session.spans())
        decisions, span = data.draw(st.sampled_from(places))
        what = data.draw(st.sampled_from(("tick", "always", "never", "mark", "everywhere")))
        if what == "tick":
            session.decide([(decisions, span)], data.draw(st.booleans()))
        elif what == "mark":
            start = data.draw(st.integers(0, len(decisions.text)))
            end = data.draw(st.integers(start, len(decisions.text)))
            session.mark(decisions, start, end, "PERSON", everywhere=data.draw(st.booleans()))
        elif what == "everywhere":
            session.set_everywhere([(span.label, span.key)], data.draw(st.booleans()))
        else:
            session.obey(ALWAYS if what == "always" else NEVER, span, decisions.document)
    for decisions in session.decisions.values():
        ends = [0, 0]
        for span in decisions.spans:
            assert span.page > ends[0] or span.first >= ends[1], "two values overlap"
            ends = [span.page, span.last]
    while session.can_undo:
        session.undo()
    assert state(session) == before
    assert session.request() == {"decisions": {}, "marks": {}, "policies": {}}


@pytest.mark.parametrize("paged", [True, False])
def test_pages_that_could_not_be_read_are_known(paged: bool) -> None:
    review = told("a.pdf")
    if not paged:
        review["pages"][1] |= {"page": None, "locator": "Sheet 2"}
    (unread,) = Decisions(review).unread
    assert (unread.number, unread.locator) == ((2, None) if paged else (None, "Sheet 2"))


def test_a_row_says_what_the_value_becomes_where_stand_ins_are_believable() -> None:
    session = opened("a.pdf")
    (decisions,) = session.decisions.values()
    person = one(decisions, "Daniel Hughes")
    (entry,) = [each for heading in headings(session.spans()) for each in heading.entries if each.span is person]
    assert entry.stand_in == ("", False), "other policies say it for all values at once"
    session.set_policy("substitute", ["a.pdf"])
    assert entry.stand_in == ("a name like it", False)
    assert becomes(entry) == "A name like it will stand for it."
    person.replacement = "Terence Soto"
    assert entry.stand_in == ("Terence Soto", True)
    assert "Terence Soto" in spoken(entry)
    session.decide([(decisions, person)], replace=False)
    assert entry.stand_in == ("", False), "what is kept needs none"


@pytest.mark.parametrize(
    ("label", "text", "words"),
    [
        ("IBAN_CODE", "GB29 NWBK 6016 1331 9268 19", "a number like it"),
        ("OWN_TERM", "Harbour dredging", "words like it"),
        ("ACCOUNT", "4417", "a stand-in"),
        ("EMAIL_ADDRESS", "a@b.org", "an address like it"),
    ],
)
def test_the_kind_of_a_stand_in_is_told_before_it_is_settled(label: str, text: str, words: str) -> None:
    span = {"id": 1, "start": 0, "end": len(text), "label": label, "replace": True}
    told = {"document": "a.txt", "policy": "substitute", "pages": [{"page": 1, "text": text, "spans": [span]}]}
    decisions = Decisions(told)
    assert stand_in(decisions, decisions.spans[0]) == (words, False)
