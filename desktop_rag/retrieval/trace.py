"""Why these passages: every candidate with its place and score in each stage, and what became of it. Pure.

The rows name chunks by id alone: kept with an answer they must not say anything of a document that is removed later.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

from desktop_rag.retrieval.fuse import best_first
from desktop_rag.retrieval.search import Ranking

SHOWN = 30
"""So many candidates are told of, at least all that are among the hits."""


def trace(ranking: Ranking) -> dict[str, Any]:
    """{stages: [{stage, found, ms}], rows: [{chunk, places, scores, state}], notes, members, reranker}, the best first.

    A state is "hit", "same" (says what a hit says) or "below" (there were enough better ones).
    """
    found = {
        stage: [c for c in best_first(held) if held[c] or stage != "bm25"] for stage, held in ranking.stages.items()
    }
    places = {stage: {chunk: place for place, chunk in enumerate(held, start=1)} for stage, held in found.items()}
    states = dict.fromkeys(chain.from_iterable(ranking.also.values()), "same") | dict.fromkeys(ranking.order, "hit")
    last = max((n for n, chunk in enumerate(ranking.final, start=1) if chunk in states), default=0)
    rows = []
    for chunk in list(ranking.final)[: max(SHOWN, last)]:
        own = {stage: held[chunk] for stage, held in places.items() if chunk in held}
        scores = {stage: round(ranking.stages[stage][chunk], 6) for stage in own}
        rows.append({"chunk": chunk, "places": own, "scores": scores, "state": states.get(chunk, "below")})
    times = {"hybrid": ranking.timings_ms.get("join")}
    stages = [
        {"stage": stage, "found": len(held), "ms": times.get(stage, ranking.timings_ms.get(stage))}
        for stage, held in found.items()
    ]
    return {"stages": stages, "rows": rows, **_told(ranking)}


def _told(ranking: Ranking) -> dict[str, Any]:
    return {"notes": ranking.notes, "members": ranking.members, "reranker": ranking.reranker}
