"""The model reads what does not fit at once in turns, and its own notes, until one text is left; never for ever."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.answering.prompt import NOT_FOUND
from desktop_rag.answering.reduce import Read, reduced

Event = dict[str, Any]


class Model:
    """Reads so many passages at once, and says which; nothing of those it is told not to know."""

    def __init__(self, at_once: int, silent: Sequence[str] = ()) -> None:
        self._at_once, self._silent = at_once, set(silent)
        self.turns: list[list[str]] = []

    def __call__(self, passages: Sequence[Event]) -> Iterator[Event]:
        texts = [str(passage["text"]) for passage in passages[: self._at_once]]
        self.turns.append(texts)
        said = [text for text in texts if text not in self._silent]
        yield {"event": "loaded"}
        yield {"event": "token", "text": " ".join(said) if said else NOT_FOUND}
        yield {"event": "done", "passages_used": len(texts)}


def run(model: Read, texts: Sequence[str]) -> tuple[list[Event], Event]:
    steps = reduced(model, [{"text": text} for text in texts], lambda text: text == NOT_FOUND)
    events = []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as stop:
            return events, stop.value


def test_what_fits_at_once_is_one_turn() -> None:
    events, told = run(Model(8), ["a", "b", "c"])
    assert (told["text"], told["turns"]) == ("a b c", 1)
    assert events == [{"event": "reducing", "read": 0, "total": 3, "turn": 1}]


def test_notes_are_read_again_until_one_is_left() -> None:
    model = Model(2)
    events, told = run(model, list("abcde"))
    assert model.turns == [["a", "b"], ["c", "d"], ["e"], ["a b", "c d"], ["e"], ["a b c d", "e"]]
    assert (told["text"], told["turns"]) == ("a b c d e", 6)
    assert [event["read"] for event in events[:3]] == [0, 2, 4]


def test_turns_that_say_nothing_are_left_out() -> None:
    assert run(Model(1, silent=["b", "c"]), ["a", "b", "c"])[1]["text"] == "a"
    assert run(Model(1, silent=["a"]), ["a"])[1]["text"] == ""


@given(st.lists(st.text("abc", min_size=1, max_size=3), max_size=12), st.integers(0, 4))
def test_it_always_ends_and_loses_nothing(texts: list[str], at_once: int) -> None:
    """Even a model with room for one passage, or that says it took none."""
    model = Model(at_once) if at_once else Model(1)
    _events, told = run(model, texts)
    assert told["text"].split() == texts
    assert sum(map(len, model.turns)) <= 4 * len(texts) + 4


@pytest.mark.parametrize("used", [0, None])
def test_a_model_that_tells_no_number_does_not_hang(used: int | None) -> None:
    def read(passages: Sequence[Event]) -> Iterator[Event]:
        yield {"event": "token", "text": str(passages[0]["text"])}
        yield {"event": "done", "passages_used": used}

    assert run(read, ["a", "b"])[1]["text"] == "a\nb"
