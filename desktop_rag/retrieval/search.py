"""One question, the best passages: lexical beside dense, fused, perhaps read again.

A stage that fails or finds nothing never empties the answer, and says so; no threshold hides a passage.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from desktop_rag.retrieval.fuse import Fusion, best_first
from desktop_rag.retrieval.lexical import Scores, WordSearch
from desktop_rag.retrieval.rerank import Reranking, rerank
from desktop_rag.retrieval.stages import ByCollection, Deep, DenseIndex, Stages, since

CANDIDATES = 100

Likeness = Callable[[Sequence[int]], Mapping[int, Hashable]]
"""For some chunks what each of them says: two that say the same are shown as one."""


@dataclass(slots=True)
class Ranking:
    """Chunks from best to worst with the score of every stage, and how long each stage took (ms).

    `also` names for a chunk those that say the same and came after it; they are not in the order themselves.
    `final` has all candidates, the best first; `stages` those of each stage with their scores, `members` how each of
    a deep search did, `notes` a sentence for whatever did not work, and `reranker` what read the best again.
    """

    order: list[int] = field(default_factory=list)
    also: dict[int, list[int]] = field(default_factory=dict)
    scores: dict[int, dict[str, float]] = field(default_factory=dict)
    final: Scores = field(default_factory=dict)
    timings_ms: dict[str, float] = field(default_factory=dict)
    stages: dict[str, Scores] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    members: list[dict[str, Any]] = field(default_factory=list)
    reranker: str | None = None


def search(
    query: str,
    vectors: ByCollection,
    collections: Sequence[int],
    *,
    lexical: WordSearch,
    dense: DenseIndex,
    mode: str = "hybrid",
    limit: int = 10,
    likeness: Likeness | None = None,
    fusion: Fusion | None = None,
    reranking: Reranking | None = None,
    deep: Deep | None = None,
) -> Ranking:
    """Rank chunks of the collections for a (scrubbed) query; without `vectors` the words alone are searched.

    With `likeness` a passage that stands in several documents takes one place of the `limit` only. Raises what a
    stage raised if nothing else found anything.
    """
    stages = Stages(query, vectors, collections, lexical, dense, max(limit, CANDIDATES))
    ranking = Ranking(timings_ms=stages.timings_ms, notes=stages.notes)
    ranking.stages = _found(stages, mode, fusion or Fusion(), deep or Deep())
    ranking.members = stages.members
    *_, joined = ranking.stages.values()
    if stages.failure is not None and not joined:
        raise stages.failure
    ranking.final = {chunk: joined[chunk] for chunk in best_first(joined)}
    if mode in ("rerank", "deep") and reranking is not None and joined:
        _read_again(query, ranking, reranking)
    order = list(ranking.final)
    ranking.order, ranking.also = _folded(order, limit, likeness) if likeness else (order[:limit], {})
    for chunk in ranking.order:
        held = ((stage, scores.get(chunk)) for stage, scores in ranking.stages.items())
        ranking.scores[chunk] = {stage: round(score, 6) for stage, score in held if score is not None}
    return ranking


def _found(stages: Stages, mode: str, fusion: Fusion, deep: Deep) -> dict[str, Scores]:
    """The candidates of every stage that the mode has, the joined ones last."""
    if mode in ("bm25", "tfidf"):
        return {mode: stages.words(mode)}
    if mode == "dense":
        return {"dense": stages.levelled(stages.meaning())}
    by_words, by_meaning = stages.deep(deep) if mode == "deep" else (stages.words(), stages.meaning())
    by_meaning, by_words = stages.completed(by_meaning, by_words)
    joined = fusion.join(stages.levelled(by_meaning), by_words)
    return {"bm25": by_words, "dense": by_meaning, "hybrid": joined}


def _read_again(query: str, ranking: Ranking, reranking: Reranking) -> None:
    started = time.perf_counter()
    reranked = rerank(query, ranking.final, reranking)
    ranking.timings_ms["rerank"] = since(started)
    ranking.final, ranking.stages["rerank"] = reranked.final, reranked.scores
    ranking.reranker = reranking.reranker.name
    if reranked.note:
        ranking.notes.append(reranked.note)


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
