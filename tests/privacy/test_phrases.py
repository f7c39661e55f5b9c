"""Phrases by which a text is known again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.privacy.phrases import WORDS, phrases, runs

WORD = st.text("abcdefgäß0123", min_size=1, max_size=9)
TEXT = st.lists(st.lists(WORD, max_size=30).map(" ".join), max_size=12).map("\n".join)


@given(st.lists(TEXT, max_size=5), st.integers(1, 9))
def test_every_phrase_stands_in_a_line_of_a_text(texts: list[str], most: int) -> None:
    found = phrases(texts, most)
    lines = [line for text in texts for line in text.splitlines()]
    assert len(found) <= most
    assert len(found) == len(set(found))
    assert all(any(phrase in line for line in lines) and len(phrase.split()) <= WORDS for phrase in found)
    assert bool(found) == any(line.split() for line in lines)


def test_they_are_spread_over_the_text() -> None:
    text = "\n".join(f"The meeting number {number} was held in the great hall." for number in range(1000))
    numbers = [int(phrase.split()[3]) for phrase in phrases([text], 4) if phrase.startswith("The meeting")]
    assert [number // 250 for number in numbers] == [0, 1, 2, 3]


def test_short_lines_are_taken_only_where_there_is_nothing_longer() -> None:
    long = "The gazebo behind the orangery was painted in May."
    assert "Total 40" not in phrases([f"Total 40\n{long}\nTotal 50"])
    assert phrases(["Total 40\nTotal 50"]) == ["Total 40", "Total 50"]


@given(st.lists(WORD, min_size=WORDS, max_size=20), st.sampled_from([" ", "\n", ", ", " — "]))
def test_runs_are_the_same_whatever_stands_between_the_words(words: list[str], between: str) -> None:
    assert list(runs(between.join(words))) == list(runs(" ".join(words).upper().lower()))
    assert len(list(runs(" ".join(words)))) == len(words) - WORDS + 1


def test_fewer_words_are_no_quote() -> None:
    assert list(runs("one two three four five six seven")) == []
