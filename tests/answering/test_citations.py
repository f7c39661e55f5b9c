"""Citations: offsets that hold, support that cannot be had by sounding alike, rows cited alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop_rag.answering.citations import Aligned, Array, align, closest, grade, passage_spans
from desktop_rag.retrieval.analyse import terms

TEXTS = st.lists(
    st.text(st.sampled_from("pump valve rent 3.1 K-9 . ! ? \n | - [PERSON_1] ".split(" ")), max_size=30), max_size=4
)
SENTENCES = st.lists(
    st.sampled_from(
        ["The pump failed.", "Rent is 1,150.", "[PERSON_2] paid.", "- item", "| a | 3 |", "\n\n", " ", "Nothing"]
    ),
    max_size=8,
).map(" ".join)


def encode(texts: Sequence[str]) -> Array:
    """Vectors of letters: alike texts are near each other, and nothing is loaded."""
    rows = np.zeros((len(texts), 64), dtype=np.float32)
    for row, text in zip(rows, texts, strict=True):
        row[0] = 0.01
        for term in terms(text):
            row[1 + sum(term.encode()) % 63] += 1
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def aligned(answer: str, question: str, passages: list[str]) -> list[Aligned]:
    return align(answer, question, passage_spans(passages), [1.0] * len(passages), terms=terms, encode=encode)


@given(st.lists(SENTENCES, max_size=4))
def test_spans_lie_in_their_passage_in_order(passages: list[str]) -> None:
    spans = passage_spans(passages)
    for span in spans:
        assert passages[span.passage][span.start : span.end] == span.text
        assert span.text.strip()
    assert all((a.passage, a.end) <= (b.passage, b.start) or a.passage < b.passage for a, b in pairwise(spans))


@given(st.lists(SENTENCES, max_size=4))
def test_spans_cover_every_word(passages: list[str]) -> None:
    covered = {(s.passage, at) for s in passage_spans(passages) for at in range(s.start, s.end)}
    for number, text in enumerate(passages):
        assert all((number, at) in covered for at, c in enumerate(text) if not c.isspace())


@settings(deadline=None)
@given(SENTENCES, SENTENCES, st.lists(SENTENCES, max_size=3))
def test_sentences_of_the_answer_are_covered_and_cite_existing_spans(
    answer: str, question: str, passages: list[str]
) -> None:
    result = aligned(answer, question, passages)
    spans = passage_spans(passages)
    covered = {at for item in result for at in range(item.start, item.end)}
    assert all(at in covered for at, c in enumerate(answer) if not c.isspace())
    for item in result:
        assert item.support in ("supported", "weak", "unsupported")
        assert len({span for span, _ in item.spans}) == len(item.spans) <= 2
        assert all(span in spans and -1e-6 <= strength <= 1 + 1e-6 for span, strength in item.spans)
        assert bool(item.spans) == bool(spans)


@pytest.mark.parametrize("question", ["What is the rent?", "What is the rent of 1,900 euros?"])
def test_a_figure_that_is_nowhere_is_at_most_weakly_supported(question: str) -> None:
    passages = ["The rent is 1,150 euros a month.", "The deposit is 1,725 euros."]
    (right,) = aligned("The rent is 1,150 euros a month.", question, passages)
    (wrong,) = aligned("The rent is 1,900 euros a month.", question, passages)
    assert right.support == "supported"
    assert wrong.support in ("weak", "unsupported")


def test_a_wrong_name_or_code_is_no_support_either() -> None:
    passages = ["[PERSON_1] replaced part K-103 in March."]
    assert aligned("[PERSON_1] replaced part K-103 in March.", "Who?", passages)[0].support == "supported"
    for wrong in ("[PERSON_2] replaced part K-103 in March.", "[PERSON_1] replaced part K-999 in March."):
        assert aligned(wrong, "Who?", passages)[0].support != "supported"


def test_what_the_question_brought_need_not_be_repeated_by_the_sentence() -> None:
    passages = ["The Zenith Z-40 moves 3 cubic metres. The permitted pressure is 6 bar."]
    (item,) = aligned(
        "The permitted pressure of the Z-40 is 6 bar.", "What is the permitted pressure of the Z-40?", passages
    )
    assert item.spans[0][0].text == "The permitted pressure is 6 bar."


def test_nothing_supports_an_answer_without_passages() -> None:
    assert [item.support for item in aligned("It is so. Yes.", "Is it?", [])] == ["unsupported", "unsupported"]
    assert aligned("", "Is it?", ["It is."]) == []


@pytest.mark.parametrize(
    "table",
    [
        "| Part | Price |\n|---|---|\n| Seal kit K-103 | 18 euros |\n| Impeller K-118 | 42 euros |",
        "Trip: Leeds; Category: Hotel; Amount: 118\n"
        "Trip: Bergen; Category: Flight; Amount: 311\nTrip: Bath; Category: Bus; Amount: 9",
        "Leeds\tHotel\t118\nBergen\tFlight\t311\nCardiff\tTrain\t89",
    ],
)
def test_rows_of_a_table_stand_alone(table: str) -> None:
    rows = [span.text for span in passage_spans([table])]
    assert all("\n" not in row or row.startswith(("|---", "| Part")) for row in rows)
    assert len(rows) >= 3 or "|" in table
    assert rows[-1] == table.splitlines()[-1]


def test_prose_over_several_lines_is_no_table() -> None:
    text = "The pump was\nrepaired in the\nmonth of March by us."
    assert [span.text for span in passage_spans([text])] == [text]


class TestClosest:
    def best(self, question: str, *passages: str) -> str:
        found = closest(question, passage_spans(passages), terms=terms, encode=encode)
        assert found
        assert all(0 <= fit <= 1 for _, fit in found)
        return found[0][0].text

    def test_the_same_row_in_another_passage_is_named_too(self) -> None:
        row = "Patent 12/425,560 was granted on 22 January 2013."
        found = closest(
            "When was patent 12/425,560 granted?", passage_spans([row, "Cats purr.", row]), terms=terms, encode=encode
        )
        assert [span.passage for span, _ in found] == [0, 2]

    def test_a_heading_is_no_answer(self) -> None:
        text = "# Tenancy agreement for the flat\n\nThe rent of the flat is 1,150 euros."
        assert self.best("What is the rent of the flat?", text) == "The rent of the flat is 1,150 euros."

    def test_the_row_with_the_code_is_preferred(self) -> None:
        text = "Fault codes and their meaning follow.\n\nCode E-12 is dry running.\n\nCode E-17 is a hot motor."
        assert self.best("What does fault code E-17 mean?", text) == "Code E-17 is a hot motor."

    def test_where_a_number_is_asked_for_one_is_preferred(self) -> None:
        text = "The rent of the flat is due in advance. The rent of the flat is 900."
        assert self.best("How much is the rent of the flat?", text).endswith("900.")

    def test_nothing_is_closest_to_nothing(self) -> None:
        assert closest("Why?", [], terms=terms, encode=encode) == []


def test_grades_follow_the_strength() -> None:
    assert [grade(s) for s in (0.0, 0.45, 0.9)] == ["unsupported", "weak", "supported"]
