"""Joining two rankings: a convex combination of min-max normalised scores.

After Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval" (arXiv 2210.11934).
"""

from __future__ import annotations

from collections.abc import Mapping

DENSE_WEIGHT = 0.6


def convex(dense: Mapping[int, float], lexical: Mapping[int, float], weight: float = DENSE_WEIGHT) -> dict[int, float]:
    """weight * dense + (1 - weight) * lexical for every id in either, each normalised to 0..1 over its own scores.

    An id a ranking did not return counts as that ranking's lowest score; an empty ranking changes no order.
    """
    d, x = normalised(dense), normalised(lexical)
    return {key: weight * d.get(key, 0.0) + (1 - weight) * x.get(key, 0.0) for key in d.keys() | x.keys()}


def normalised(scores: Mapping[int, float]) -> dict[int, float]:
    """Scores mapped to 0..1; a single or constant ranking becomes all ones."""
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    if high == low:
        return dict.fromkeys(scores, 1.0)
    return {key: (value - low) / (high - low) for key, value in scores.items()}
