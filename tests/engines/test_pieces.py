"""Bytes to characters, and answers that repeat themselves."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.engines.pieces import LoopWatch, TextStream, runs_in_circles

STRETCHES = st.lists(st.integers(0, 50_000), min_size=4, max_size=64)
TOKENS = st.lists(st.integers(0, 50_000), max_size=80)


def streamed(data: bytes, cuts: list[int]) -> str:
    stream = TextStream()
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return "".join(stream.add(data[a:b]) for a, b in pairwise(places)) + stream.end()


@given(st.text(), st.lists(st.integers(0, 10_000)))
def test_any_split_of_a_text_s_bytes_gives_the_text(text: str, cuts: list[int]) -> None:
    assert streamed(text.encode(), cuts) == text


@given(st.binary(), st.lists(st.integers(0, 10_000)))
def test_any_bytes_give_the_same_text_however_they_are_split(data: bytes, cuts: list[int]) -> None:
    assert streamed(data, cuts) == data.decode("utf-8", "replace")


@given(st.text(min_size=1))
def test_a_character_is_held_back_until_it_is_complete(text: str) -> None:
    stream = TextStream()
    for character in text:
        *early, last = [stream.add(bytes([byte])) for byte in character.encode()]
        assert "".join(early) == ""
        assert last == character


@given(TOKENS, STRETCHES)
def test_a_stretch_said_three_times_is_a_circle(before: list[int], stretch: list[int]) -> None:
    assert runs_in_circles([*before, *stretch * 3])


@given(TOKENS, st.lists(st.integers(0, 50_000), min_size=24, max_size=64))
def test_a_long_stretch_said_twice_is_a_circle(before: list[int], stretch: list[int]) -> None:
    assert runs_in_circles([*before, *stretch * 2])


@given(st.lists(st.integers(0, 50_000), unique=True, max_size=300))
def test_what_never_repeats_is_none(tokens: list[int]) -> None:
    assert not runs_in_circles(tokens)


@given(st.lists(st.integers(0, 50_000), unique=True, min_size=4, max_size=23), st.integers(50_001, 60_000))
def test_a_short_stretch_may_be_said_twice(stretch: list[int], other: int) -> None:
    assert not runs_in_circles(stretch * 2)
    assert not runs_in_circles([*stretch * 3, other]), "only the end counts"


@given(
    st.lists(st.integers(0, 2), max_size=200)
    | st.builds(lambda a, b, n: [*a, *b * n], TOKENS, STRETCHES, st.integers(1, 4))
)
def test_watching_token_by_token_tells_the_same(tokens: list[int]) -> None:
    watch = LoopWatch()
    for count, token in enumerate(tokens, 1):
        assert watch.add(token) == runs_in_circles(tokens[:count])
