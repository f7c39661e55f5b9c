"""What stands around the best passage comes along after what was found, can be cited, and is told in the trace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from desktop_rag.answering.answer import _given, _traced
from desktop_rag.settings import Settings
from desktop_rag.workers import questions
from tests.workers.driving import add

if TYPE_CHECKING:
    from desktop_rag.workers.library import Library

pytestmark = pytest.mark.slow
FILLER = "The committee met and discussed the usual matters of the season at great length. " * 12
SECTIONS = {
    "Rent": ["The rent is 1450 euros a month. " + FILLER, "It is due on the third working day. " + FILLER],
    "Pump": [
        "Deliveries come on pallets. " + FILLER,
        "The warranty of the pump P-7 lasts 24 months. " + FILLER,
        "Seals are excluded from it. " + FILLER,
    ],
    "Travel": ["Hotels are paid up to 120 euros. " + FILLER],
}
QUESTION = "How long does the warranty of the pump P-7 last?"


@pytest.fixture
def filled(library: Library, tmp_path: Path) -> Library:
    text = "\n\n".join(f"# {name}\n\n" + "\n\n".join(parts) for name, parts in SECTIONS.items())
    (tmp_path / "terms.md").write_text(text)
    add(library, tmp_path / "terms.md")
    Settings(library.data_dir).set("passages", 1)
    return library


def prepared(library: Library, around: str) -> dict[str, Any]:
    Settings(library.data_dir).set("around", around)
    return questions.prepare(library, {"question": QUESTION})


def test_neighbours_come_after_the_hits_in_reading_order(filled: Library) -> None:
    told = prepared(filled, "neighbours")
    best, *others = told["passages"]
    assert "24 months" in best["text"]
    assert "around" not in best
    assert [each["ordinal"] - best["ordinal"] for each in others] == [-1, 1]
    assert {each["around"] for each in others} == {best["chunk"]}
    assert len(prepared(filled, "none")["passages"]) == 1


def test_a_section_is_what_stands_under_the_same_heading(filled: Library) -> None:
    told = prepared(filled, "section")["passages"]
    assert {each["context"] for each in told} == {told[0]["context"]}
    every = filled.documents.chunks(told[0]["document"])
    run = [row["chunk"] for row in every if row["context"] == told[0]["context"]]
    assert sorted(each["chunk"] for each in told) == run


def test_what_was_found_itself_does_not_come_twice(filled: Library) -> None:
    Settings(filled.data_dir).set("passages", 12)
    told = prepared(filled, "section")["passages"]
    chunks = [each["chunk"] for each in told]
    assert len(chunks) == len(set(chunks))


def test_an_answer_may_rest_on_a_neighbour(filled: Library) -> None:
    told = prepared(filled, "neighbours")
    finished = questions.finish(filled, {**told, "answer": "Seals are excluded from it.", "passages_used": 3})
    first = finished["citations"][0]
    assert first["chunk"] == told["passages"][2]["chunk"]
    assert "Seals are excluded" in first["text"]


def test_the_trace_tells_of_them_and_the_model_gets_numbers_only(filled: Library) -> None:
    told = prepared(filled, "neighbours")
    traced = _traced(told, {"passages_used": 2})
    assert traced is not None
    states = {row["chunk"]: row["state"] for row in traced["rows"]}
    assert [states[each["chunk"]] for each in told["passages"]] == ["read", "around", "cut"]
    given = _given(told["passages"])
    assert [each["place"] for each in given] == [[0, each["ordinal"]] for each in told["passages"]]
    assert "terms" not in str([{**each, "text": "", "context": ""} for each in given])


def test_nothing_found_has_nothing_around_it(library: Library) -> None:
    assert prepared(library, "section")["passages"] == []
