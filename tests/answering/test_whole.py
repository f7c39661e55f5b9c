"""What is kept of everything that was read: what speaks of the question, once, in order, from every document meant."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.answering.scope import KINDS, Kind
from desktop_rag.answering.whole import Place, Reading

AXES = {"overdue": 0, "paid": 1, "council": 2, "canteen": 3, "weather": 4}


def vector(text: str) -> np.ndarray:
    """A direction for each known word: what is about the same lies near."""
    found = np.zeros(len(AXES) + 1, dtype=np.float32)
    found[-1] = 0.1
    for word in words(text):
        if word in AXES:
            found[AXES[word]] += 1
    return found / np.linalg.norm(found)


def words(text: str) -> list[str]:
    return text.lower().replace(".", "").split()


def reading(asked: str, kind: Kind, documents: dict[str, list[str]], empty: tuple[str, ...] = ()) -> Reading:
    """Each text is a passage; its sentences end with a full stop."""
    held = Reading(vector(asked), frozenset(words(asked)), kind)
    chunk = 0
    for name, passages in documents.items():
        held.named(name, words(name))
        for text in passages:
            chunk += 1
            spans, at = [], 0
            for part in text.split(". "):
                spans.append((at, at + len(part), part))
                at += len(part) + 2
            parts = [part for _, _, part in spans]
            held.read(name, chunk, spans, [words(p) for p in parts], np.stack([vector(p) for p in parts]),
                      [p in empty for p in parts])  # fmt: skip
    return held


def said(places: list[Place]) -> list[str]:
    return [place.text.rstrip(".") for place in places]


INVOICES = {
    "one": ["The invoice is overdue. The weather is fine."],
    "two": ["The invoice is paid. The canteen opens."],
    "three": ["The invoice of May is overdue. The council met.", "The invoice of May is overdue. The weather holds."],
}


@pytest.mark.parametrize("kind", ["list", "count"])
def test_a_list_takes_what_speaks_of_it_in_the_order_of_reading_and_nothing_twice(kind: Kind) -> None:
    held = reading("overdue invoice", kind, INVOICES)
    assert said(held.kept(10)) == ["The invoice is overdue", "The invoice of May is overdue"]
    assert [(place.document, place.chunk, place.start) for place in held.kept(10)] == [("one", 1, 0), ("three", 3, 0)]
    assert held.sentences == 8
    assert len(held.kept(1)) == 1


def test_nothing_is_kept_where_nothing_speaks_of_it() -> None:
    assert reading("unicorns", "list", INVOICES).kept(10) == []
    assert Reading(vector("overdue"), frozenset({"overdue"}), "summarise").kept(10) == []


def test_a_heading_gives_way_to_what_says_something() -> None:
    held = reading("overdue", "list", {"a": ["Overdue. It is overdue."]}, empty=("Overdue",))
    assert said(held.kept(10)) == ["It is overdue"]


def test_a_comparison_takes_the_best_of_each_document() -> None:
    documents = {"a": ["Overdue invoice now. Overdue invoice twice. Overdue invoice again."], "b": ["It is overdue."]}
    kept = reading("overdue invoice", "compare", documents).kept(2)
    assert [place.document for place in kept] == ["a", "b"]


def test_a_summary_is_of_the_document_whose_name_is_asked_for() -> None:
    documents = {"minutes": ["The council met. The canteen opens."], "letter": ["The weather is fine today."]}
    kept = reading("minutes", "summarise", documents).kept(10)
    assert [place.document for place in kept] == ["minutes", "minutes"]
    everything = reading("all of it", "summarise", documents).kept(10)
    assert {place.document for place in everything} == {"minutes", "letter"}


def test_a_summary_says_different_things() -> None:
    text = "The council met. The council met today. The council met again. The canteen opens."
    kept = said(reading("minutes", "summarise", {"minutes": [text]}).kept(2))
    assert "The canteen opens" in kept


@given(
    st.sampled_from(KINDS),
    st.lists(st.lists(st.sampled_from(list(AXES)), min_size=1, max_size=4), min_size=1, max_size=12),
    st.integers(1, 6),
)
def test_what_is_kept_was_read_stands_there_and_comes_in_order(kind: Kind, parts: list[list[str]], most: int) -> None:
    documents = {str(number): [". ".join(" ".join(["it", *part]) for part in parts)] for number in range(2)}
    kept = reading("overdue council", kind, documents).kept(most)
    assert len(kept) <= most
    assert [(p.chunk, p.start) for p in kept] == sorted((p.chunk, p.start) for p in kept)
    for place in kept:
        assert documents[place.document][0][place.start : place.end] == place.text
