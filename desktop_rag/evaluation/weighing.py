"""Which way of joining words and meaning suits some judged questions, and whether that is more than chance. Pure.

Whatever is best of many on the questions it was chosen by looks better than it is. So the gain is measured on questions
that had no part in the choice (cross-validation): for each part of them the way that was best on all the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from desktop_rag.evaluation.verdict import probability

FEWEST = 10
"""Questions that there must be."""
PARTS = 10
USUAL = "usual"
"""The application's own way, which changes with it."""
_METHODS = ("votes", "minmax", "theoretical")
WAYS = (USUAL, *(f"{method}:0.{tenth}" for method in _METHODS for tenth in range(1, 10)), "rrf")
"""All that are tried, as `collections --fusion` takes them."""
Figures = Mapping[str, Sequence[float]]
"""By way a figure for each question, in the same order."""


def weighed(figures: Figures, now: str) -> dict[str, Any]:
    """{now, best, ndcg_now, ndcg_best, difference, p, sure, sentence}; `now` is the way that is in use.

    `difference` and `p` (None below FEWEST questions) are of questions that had no part in the choice.
    """
    best = _best(figures, range(len(figures[now])), now)
    told: dict[str, Any] = {"now": now, "best": best, "difference": None, "p": None, "sure": False}
    told |= {"ndcg_now": round(fmean(figures[now]), 6), "ndcg_best": round(fmean(figures[best]), 6)}
    if best != now and len(figures[now]) >= FEWEST:
        from desktop_rag.evaluation.bootstrap import compared  # numpy, where there is something to compare

        found = compared(_held_out(figures, now), figures[now])
        sure = found.significant and found.difference > 0
        told |= {"difference": round(found.difference, 6), "p": round(found.p, 5), "sure": sure}
    return {**told, "sentence": _sentence(told, len(figures[now]))}


def _best(figures: Figures, questions: Sequence[int], now: str) -> str:
    """The best way for some questions; among equals the one in use, then the first."""
    means = {way: fmean(row[n] for n in questions) for way, row in figures.items()}
    return max(means, key=lambda way: (round(means[way], 9), way == now))


def _held_out(figures: Figures, now: str) -> list[float]:
    """For each question its figure by the way that was best on the questions outside its part."""
    every = range(len(figures[now]))
    parts = min(PARTS, len(every))
    chosen = [_best(figures, [n for n in every if n % parts != part], now) for part in range(parts)]
    return [figures[chosen[n % parts]][n] for n in every]


def _sentence(told: Mapping[str, Any], questions: int) -> str:
    if told["best"] == told["now"]:
        return "The way that is in use is the best of all that were tried."
    if told["p"] is None:
        return f"{questions} of {FEWEST} questions: with fewer, nothing can be said about the weights."
    if told["sure"]:
        return (
            f"On questions that had no part in the choice, {told['best']} finds more than {told['now']}:"
            f" nDCG@10 {told['difference']:+.3f}, p = {probability(told['p'])}."
        )
    return (
        f"{told['best']} looks best, but on questions that had no part in the choice its lead may be chance:"
        f" nDCG@10 {told['difference']:+.3f}, p = {probability(told['p'])}. The weights stay as they are."
    )
