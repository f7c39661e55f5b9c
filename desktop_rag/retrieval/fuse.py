"""Joining what the words say with what the meaning says: fusion of two rankings. Pure.

The default is a linear pool of opinions: each side hands out one vote, shared among the candidates by how far each
stands out from the others. A side that sees one clear passage says so loudly, one that sees a hundred alike hardly
speaks; neither the scale of an encoder's cosines nor the length of a question matters. Beside it stand the convex
combinations of Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval" (arXiv 2210.11934), and
reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from desktop_rag.errors import UsageError

Scores = Mapping[int, float]
Method = Literal["votes", "minmax", "theoretical", "rrf"]
METHODS: tuple[Method, ...] = get_args(Method)

RRF_K = 60
_WEIGHT = re.compile(r"0(?:\.\d{1,6})?|1(?:\.0{1,6})?")
# A candidate one standard deviation above another gets e^.3 times as much. This and the weight of the votes were
# chosen on questions of development sets (claims, encyclopaedia, manuals), with two encoders.
_LOUDNESS = 0.3
_WEIGHTS: dict[Method, float] = {"votes": 0.6, "minmax": 0.6, "theoretical": 0.8, "rrf": 0.5}


@dataclass(frozen=True, slots=True)
class Fusion:
    """How a collection's rankings are joined; `weight` 0..1 is that of the meaning, None the method's own."""

    method: Method = "votes"
    weight: float | None = None

    @classmethod
    def read(cls, written: str) -> Fusion:
        """From "minmax" or "minmax:0.7". Raises UsageError for anything else."""
        name, _, weight = written.partition(":")
        number = float(weight) if _WEIGHT.fullmatch(weight) else None
        for method in METHODS:
            if method == name and (number is not None or written == name):
                return cls(method, number)
        raise UsageError(
            "bad_request",
            f"“{written}” is no way to join words and meaning.",
            f"Name one of {', '.join(METHODS)}, alone or with the weight of the meaning: votes:0.5",
        )

    def join(self, dense: Scores, lexical: Scores) -> dict[int, float]:
        """A score for every id in either ranking, 0..1. An empty ranking changes no order."""
        weight = _WEIGHTS[self.method] if self.weight is None else self.weight
        if self.method == "rrf":
            return rrf([dense, lexical], [weight, 1 - weight])
        normal = _NORMAL[self.method]
        return _mixed(normal[0](dense), normal[1](lexical), weight)


def votes(scores: Scores) -> dict[int, float]:
    """One vote shared among the ids: the softmax of their dampened standard scores. Scale and shift do not matter."""
    if not scores:
        return {}
    mean = sum(scores.values()) / len(scores)
    spread = math.sqrt(sum((value - mean) ** 2 for value in scores.values()) / len(scores))
    # What differs by less than rounding does not differ.
    if spread <= 1e-9 * max(1.0, abs(mean)):
        return dict.fromkeys(scores, 1 / len(scores))
    loud = {key: math.exp(_LOUDNESS * (value - mean) / spread) for key, value in scores.items()}
    total = sum(loud.values())
    return {key: value / total for key, value in loud.items()}


def convex(dense: Scores, lexical: Scores, weight: float = _WEIGHTS["minmax"]) -> dict[int, float]:
    """weight * dense + (1 - weight) * lexical for every id in either, each normalised to 0..1 over its own scores.

    An id a ranking did not return counts as that ranking's lowest score; an empty ranking changes no order.
    """
    return _mixed(normalised(dense), normalised(lexical), weight)


def normalised(scores: Scores) -> dict[int, float]:
    """Scores mapped to 0..1; a single or constant ranking becomes all ones."""
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    if high == low:
        return dict.fromkeys(scores, 1.0)
    return {key: (value - low) / (high - low) for key, value in scores.items()}


def rrf(rankings: Sequence[Scores], weights: Sequence[float] | None = None, k: int = RRF_K) -> dict[int, float]:
    """The sum over the rankings of weight / (k + place), places from 1; equal scores by id."""
    result: dict[int, float] = {}
    for ranking, weight in zip(rankings, weights or [1.0] * len(rankings), strict=True):
        for place, key in enumerate(best_first(ranking), start=1):
            result[key] = result.get(key, 0.0) + weight / (k + place)
    return result


def best_first(scores: Scores) -> list[int]:
    """Ids by falling score; equal ones by id."""
    return sorted(scores, key=lambda key: (-scores[key], key))


def _above(minimum: float) -> Callable[[Scores], dict[int, float]]:
    """Normalises between the least score there can be and the best there is."""

    def normal(scores: Scores) -> dict[int, float]:
        span = max(scores.values(), default=0.0) - minimum
        return {key: (value - minimum) / span if span > 0 else 0.0 for key, value in scores.items()}

    return normal


_Normal = Callable[[Scores], dict[int, float]]
# For meaning and for words. A cosine is at least -1, a BM25 score at least 0.
_NORMAL: dict[Method, tuple[_Normal, _Normal]] = {
    "votes": (votes, votes),
    "minmax": (normalised, normalised),
    "theoretical": (_above(-1.0), _above(0.0)),
}


def _mixed(dense: Scores, lexical: Scores, weight: float) -> dict[int, float]:
    """An id that one of them lacks counts there as its lowest."""
    least = [min(scores.values(), default=0.0) for scores in (dense, lexical)]
    return {
        key: weight * dense.get(key, least[0]) + (1 - weight) * lexical.get(key, least[1])
        for key in dense.keys() | lexical.keys()
    }
