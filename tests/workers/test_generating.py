"""What a worker makes of a question and of an engine's pieces: passages by the model's size, honest numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from desktop_rag.engines.protocol import EngineInfo, Finish, Piece, Prompt
from desktop_rag.workers.generating import MOST_PASSAGES, SMALL_MODEL_PASSAGES, built_for, complete_op
from desktop_rag.workers.loop import Request

PASSAGES = [{"text": f"passage number {number}", "context": ""} for number in range(6)]


class Engine:
    """Says one word; a prompt has a token for every character."""

    def __init__(self, *, context: int = 4096, weights: int = 0, parameters: int | None = None) -> None:
        self.info = EngineInfo("E", "m", context, weights, 1, 1, parameters=parameters)

    def count(self, text: str) -> int:
        return len(text)

    def render(self, messages: Any) -> Prompt:
        return Prompt(tokens=tuple(map(ord, messages[-1]["content"])))

    def generate(self, prompt: Prompt, **_: Any) -> Iterator[Piece | Finish]:
        yield Piece("yes", 1, 0.5)
        yield Finish("end", len(prompt), 0, 1, 0.5, 0.6)


class Telling(Engine):
    """Tells what its KV memory holds."""

    cached_tokens = tuple(map(ord, "What i"))


def used(engine: Any, **args: Any) -> int:
    return built_for(engine, {"question": "Why?", "passages": PASSAGES, **args}, None).used


@pytest.mark.parametrize("weights", [100 << 20, 600 << 20])
def test_a_small_model_gets_few_passages_in_whatever_precision(weights: int) -> None:
    assert used(Engine(weights=weights, parameters=135_000_000)) == SMALL_MODEL_PASSAGES
    assert used(Engine(weights=weights, parameters=500_000_000)) == min(len(PASSAGES), MOST_PASSAGES)


def test_a_server_s_model_is_not_taken_for_a_small_one() -> None:
    assert used(Engine()) == len(PASSAGES)


def test_a_long_answer_does_not_push_the_passages_out() -> None:
    assert used(Engine(context=2048), max_tokens=2048) == len(PASSAGES)


@pytest.mark.parametrize(("engine", "reused", "speed"), [(Engine(), None, None), (Telling(), 6, 14.0)])
def test_what_was_read_before_is_told_or_left_open(engine: Engine, reused: int | None, speed: float | None) -> None:
    events = complete_op(engine, Request(1, "complete", {"prompt": "What is it 12"}))  # type: ignore[arg-type]
    prefill = next(events)
    assert prefill is not None
    assert (prefill["tokens"], prefill["reused"], prefill["tok_s"]) == (13, reused, speed)
