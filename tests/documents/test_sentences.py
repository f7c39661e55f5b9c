"""Sentence boundaries: the cases that go wrong, and the law every answer's citations rest on."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.documents.paragraphs import paragraphs
from desktop_rag.documents.sentences import sentences

TEXTS = st.text(st.sampled_from("ab AB.!?。\"')([1]\n\r\f\t •-,é") | st.characters(), max_size=200)


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    "parts",
    [
        ["Dr. Smith met Mr. Jones at 5.30 p.m. in St. Louis.", "They talked."],
        ["See Art. 12 and Sec. 3, e.g. No. 5 or Fig. 2.", "It holds."],
        ["I said no.", "Then I left."],
        ["Smith v. Jones was decided in the U.S. Supreme Court.", "The appeal failed."],
        ["He lives in the U.S.", "The house is large."],
        ["J. R. Tolkien wrote it.", "Nobody else could."],
        ["It cost 3.14 euros.", "Cheap!", "Was it?", "Yes."],
        ["“Stop!” he said.", "“Why?”", "She left (quickly).", "The end…", "And so on."],
        ["It ended in 2019.", "The rest is known."],
        ["これは文です。", "次の文です！", "本当？", "はい"],
        ["यह पहला वाक्य है।", "यह दूसरा है।"],
        ["The total is due on 3. Mai 2024 in full.", "Pay it."],
        ["Wait... what happened?", "Nothing."],
        ["Acme Inc. Paris office is closed.", "We moved."],
    ],
)
def test_known_cases(parts: list[str]) -> None:
    joined = "".join(part if part[-1] in "。！？" else part + " " for part in parts)
    assert split(joined) == parts


def test_line_breaks_end_nothing_but_blank_lines_and_bullets_do() -> None:
    text = "A sentence wrapped\nover lines\n\nNext paragraph\n- first item\n- second item\n1. third"
    assert split(text) == [
        "A sentence wrapped\nover lines",
        "Next paragraph",
        "- first item",
        "- second item",
        "1. third",
    ]


def test_a_list_number_is_no_sentence() -> None:
    assert split("1. Introduction\n2. Method") == ["1. Introduction", "2. Method"]


@given(TEXTS)
def test_law_spans_are_ordered_stripped_and_lose_nothing(text: str) -> None:
    for cut in (sentences, paragraphs):
        at = 0
        for start, end in cut(text):
            assert at <= start < end <= len(text)
            assert not text[at:start].strip(), "text between two spans"
            assert text[start:end] == text[start:end].strip()
            at = end
        assert not text[at:].strip(), "text after the last span"


@pytest.mark.parametrize("unit", [". ", ".", "e.g. ", "1. ", "\n ", "\n", "a.b ", "(", "。", "“"])
def test_work_grows_with_the_length_not_its_square(unit: str) -> None:
    def seconds(length: int) -> float:
        text = unit * (length // len(unit))
        began = time.process_time()
        sentences(text)
        return time.process_time() - began

    # Squared work would take 400 times as long; fifty leaves room for a busy machine.
    assert seconds(400_000) < 50 * max(seconds(20_000), 0.005)
