"""Stop strings and drawing, without a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.engines.draw import Chooser, candidates
from desktop_rag.engines.folder_text import AnswerText, FolderTokenizer
from desktop_rag.engines.protocol import Sampling


class Letters:
    """A tokenizer whose tokens are bytes of UTF-8."""

    def decode(self, tokens: Sequence[int]) -> str:
        return bytes(tokens).decode("utf-8", "replace")


def shown(text: str, stop: Sequence[str]) -> tuple[str, bool]:
    answer = AnswerText(cast("FolderTokenizer", Letters()), stop)
    parts: list[str] = []
    for token in text.encode():
        parts.append(answer.add(token))
        if answer.stopped:
            break
    return "".join([*parts, answer.end()]), answer.stopped


@given(st.text(alphabet="abß👩", max_size=40), st.lists(st.text(alphabet="abß", min_size=1, max_size=4), max_size=3))
def test_an_answer_is_its_text_up_to_the_first_complete_stop_string(text: str, stop: list[str]) -> None:
    ends = [text.find(word) + len(word) for word in stop if word in text]
    until = text[: min(ends)] if ends else text
    starts = [until.find(word) for word in stop if word in until]
    assert shown(text, stop) == (until[: min(starts)] if starts else until, bool(ends))


@given(st.lists(st.floats(-20, 20, width=32), min_size=1, max_size=30), st.floats(0.1, 1.0), st.integers(0, 10))
def test_filters_leave_the_likeliest_and_chances_that_add_up(values: list[float], top_p: float, top_k: int) -> None:
    row = np.array(values, dtype=np.float32)
    tokens, chances = candidates(row, Sampling(temperature=0.7, top_k=top_k, top_p=top_p, min_p=0.05))
    assert row[tokens[0]] == row.max()
    assert len(tokens) == len(set(tokens.tolist())) <= (top_k or len(values))
    np.testing.assert_allclose(chances.sum(), 1.0)


def test_a_seed_repeats_its_draws() -> None:
    row = np.zeros(50, dtype=np.float32)

    def draws(seed: int) -> list[Any]:
        chooser = Chooser(Sampling(temperature=1.0, seed=seed))
        return [chooser.choose(row, []) for _ in range(8)]

    assert draws(3) == draws(3) != draws(4)
