"""What the search is meant to reach on judged sets that many know, by the name of their folder. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_BEST_OF_BOTH = {"scifact": (0.679, 0.730), "cranfield": (0.376, 0.425), "cisi": (0.381, 0.447)}
_MANY_LANGUAGES = "xquad_"
# (mode, figure, at least)
Aim = tuple[str, str, float]


def aims(name: str) -> list[Aim]:
    """The aims for a set; none for one that is not known."""
    if name in _BEST_OF_BOTH:
        words, both = _BEST_OF_BOTH[name]
        return [("bm25", "ndcg@10", words), ("hybrid", "ndcg@10", both)]
    if name.startswith(_MANY_LANGUAGES):
        return [("bm25", "success@1", 0.8), ("hybrid", "ndcg@10", 0.93)]
    return []


def judged(done: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The aims for the result of a set, with what was reached; rounded as the aims are, to three digits."""
    values = {row["mode"]: row for row in done["modes"]}
    found = [
        {"mode": mode, "figure": figure, "target": target, "value": values[mode][figure]}
        for mode, figure, target in aims(done["set"])
        if mode in values
    ]
    reached = [{**row, "met": round(row["value"], 3) >= row["target"]} for row in found]
    return [*reached, *_never_worse(done["comparisons"])]


def _never_worse(comparisons: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """No mode may be surely worse than the best of what it is made of."""
    for row in comparisons:
        if row["part"]:
            yield {
                "mode": row["mode"],
                "figure": f"ndcg@10 against {row['against']}",
                "target": "not surely worse",
                "value": row["difference"],
                "met": not (row["p"] < 0.05 and row["difference"] < 0),
            }
