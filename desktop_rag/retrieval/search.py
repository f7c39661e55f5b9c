"""One question, the best passages: lexical beside dense, fused; a stage that finds nothing never empties the answer."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from desktop_rag.retrieval.encode import Vectors
from desktop_rag.retrieval.fuse import convex
from desktop_rag.retrieval.lexical import LexicalIndex, Scores

CANDIDATES = 100


class DenseIndex(Protocol):
    """Finds chunks near a vector."""

    def search(self, query: Vectors, collection: int, limit: int) -> Mapping[int, float]:
        """Chunk ids with their cosine."""
        ...


@dataclass(slots=True)
class Ranking:
    """Chunks from best to worst with the score of every stage, and how long each stage took (ms)."""

    order: list[int] = field(default_factory=list)
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
) -> Ranking:
    """Rank chunks of the collections for a (scrubbed) query; `vector` may be None for mode bm25."""
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
    ranking.order = sorted(ranking.final, key=lambda chunk: (-ranking.final[chunk], chunk))[:limit]
    for chunk in ranking.order:
        stages = {"bm25": by_words.get(chunk), "dense": by_meaning.get(chunk), mode: ranking.final[chunk]}
        ranking.scores[chunk] = {stage: round(score, 6) for stage, score in stages.items() if score is not None}
    return ranking


def _best(scores: Mapping[int, float], limit: int) -> Scores:
    return {chunk: scores[chunk] for chunk in sorted(scores, key=lambda c: (-scores[c], c))[:limit]}


def _since(start: float) -> float:
    return round((time.perf_counter() - start) * 1000, 3)
