"""The next token from a row of logits: repetition, top-k, top-p, min-p and temperature, in llama.cpp's order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desktop_rag.engines.protocol import Sampling

_PENALISED = 64


class Chooser:
    """Greedy at temperature 0, else a draw that the seed repeats."""

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        self._random = np.random.default_rng(sampling.seed & 0xFFFFFFFFFFFFFFFF)

    def choose(self, logits: NDArray[np.float32], answer: Sequence[int]) -> int:
        """A token by its row (vocabulary,); `answer` are the tokens said so far."""
        wanted = self._sampling
        row = logits
        if wanted.repeat_penalty != 1.0 and answer:
            row = penalised(row, answer[-_PENALISED:], wanted.repeat_penalty)
        if wanted.temperature <= 0 or wanted.top_k == 1:
            return int(np.argmax(row))
        tokens, chances = candidates(row, wanted)
        return int(self._random.choice(tokens, p=chances))


def penalised(logits: NDArray[np.float32], said: Sequence[int], penalty: float) -> NDArray[np.float32]:
    """Logits in which tokens already said are less likely (CTRL, https://arxiv.org/abs/1909.05858, section 4.1)."""
    row = logits.copy()
    seen = np.unique(np.asarray(said))
    row[seen] = np.where(row[seen] > 0, row[seen] / penalty, row[seen] * penalty)
    return row


def candidates(logits: NDArray[np.float32], sampling: Sampling) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """The tokens that pass the filters, likeliest first, with their chances; always at least one."""
    order = np.argsort(-logits, kind="stable")
    if sampling.top_k > 0:
        order = order[: sampling.top_k]
    chances = _softmax(logits[order])
    if sampling.top_p < 1.0:
        # The token that crosses the mark belongs to those kept.
        count = int(np.searchsorted(np.cumsum(chances), sampling.top_p)) + 1
        order, chances = order[:count], chances[:count]
    if sampling.min_p > 0.0:
        kept = chances >= sampling.min_p * chances[0]
        order = order[kept]
    return order, _softmax(logits[order] / sampling.temperature)


def _softmax(values: NDArray[np.float32]) -> NDArray[np.float64]:
    wide = values.astype(np.float64)
    powers = np.exp(wide - wide.max())
    return np.asarray(powers / powers.sum())
