"""One question, the best passages: lexical beside dense, fused; a stage that finds nothing never empties the answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from desktop_rag.retrieval.encode import Vectors
from desktop_rag.retrieval.fuse import convex
from desktop_rag.retrieval.lexical import LexicalIndex, Scores

CANDIDATES = 100

Likeness = Callable[[Sequence[int]], Mapping[int, Hashable]]
"""For some chunks what each of them says: two that say the same are shown as one."""


class DenseIndex(Protocol):
    """Finds chunks near a vector."""

    def search(self, query: Vectors, collection: int, limit: int) -> Mapping[int, float]:
        """Chunk ids with their cosine."""
        ...


@dataclass(slots=True)
class Ranking:
    """Chunks from best to worst with the score of every stage, and how long each stage took (ms).

    `also` names for a chunk those that say the same and came after it; they are not in the order themselves.
    """

    order: list[int] = field(default_factory=list)
    also: dict[int, list[int]] = field(default_factory=dict)
    scores: dict[int, dict[str, float]] = field(default_factory=dict)
    final: Scores = field(default_factory=dict)
    timings_ms: dict[str, float] = field(default_factory=dict)


def search(
    query: str,
    vector: Vectors | None,
    collections: Sequence[int],
    *,
    lexical: LexicalIndex,
    dense: DenseIndex,
    mode: str = "hybrid",
    limit: int = 10,
    likeness: Likeness | None = None,
) -> Ranking:
    """Rank chunks of the collections for a (scrubbed) query; `vector` may be None for mode bm25.

    With `likeness` a passage that stands in several documents takes one place of the `limit` only.
    """
    ranking = Ranking()
    by_words: Scores = {}
    by_meaning: Scores = {}
    if mode in ("bm25", "hybrid"):
        start = time.perf_counter()
        by_words = _best(lexical.search(query, collections), max(limit, CANDIDATES))
        ranking.timings_ms["bm25"] = _since(start)
    if mode in ("dense", "hybrid") and vector is not None:
        start = time.perf_counter()
        for collection in collections:
            by_meaning.update(dense.search(vector, collection, max(limit, CANDIDATES)))
        by_meaning = _best(by_meaning, max(limit, CANDIDATES))
        ranking.timings_ms["dense"] = _since(start)
    alone = {"bm25": by_words, "dense": by_meaning}
    ranking.final = alone[mode] if mode in alone else convex(by_meaning, by_words)
    ranked = sorted(ranking.final, key=lambda chunk: (-ranking.final[chunk], chunk))
    ranking.order, ranking.also = _folded(ranked, limit, likeness) if likeness else (ranked[:limit], {})
    for chunk in ranking.order:
        stages = {"bm25": by_words.get(chunk), "dense": by_meaning.get(chunk), mode: ranking.final[chunk]}
        ranking.scores[chunk] = {stage: round(score, 6) for stage, score in stages.items() if score is not None}
    return ranking


def _folded(ranked: Sequence[int], limit: int, likeness: Likeness) -> tuple[list[int], dict[int, list[int]]]:
    """The first `limit` chunks that differ, and for each of them its likes, as far down as had to be looked."""
    kept: dict[Hashable, int] = {}
    also: dict[int, list[int]] = {}
    for at in range(0, len(ranked), max(limit, 1)):
        batch = ranked[at : at + limit]
        said = likeness(batch)
        for chunk in batch:
            if said[chunk] in kept:
                also.setdefault(kept[said[chunk]], []).append(chunk)
            elif len(kept) < limit:
                kept[said[chunk]] = chunk
        if len(kept) >= limit:
            break
    return list(kept.values()), also


def _best(scores: Mapping[int, float], limit: int) -> Scores:
    return {chunk: scores[chunk] for chunk in sorted(scores, key=lambda c: (-scores[c], c))[:limit]}


def _since(start: float) -> float:
    return round((time.perf_counter() - start) * 1000, 3)
