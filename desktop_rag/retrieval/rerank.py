"""A closer look at the best candidates: their passages are read again beside the question, as far as time allows.

`MaxSim` is late interaction (Khattab and Zaharia, ColBERT, arXiv 2004.12832) over the token vectors of the encoder at
hand: each token of the question looks for the token of the passage that is nearest to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from desktop_rag.retrieval.encode import Encoder, Vectors
from desktop_rag.retrieval.fuse import best_first, votes
from desktop_rag.retrieval.stages import FAILURES

DEPTH = 30
"""So many candidates are read again."""
SECONDS = 2.0
"""What is not read by then keeps its place."""
# The reranker is one voice beside the words and the meaning, and all three count the same.
_WEIGHT = 1 / 3
_BATCH = 6


class Reranker(Protocol):
    """Scores passages for a question, the higher the better, on any scale."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    def score(self, question: str, passages: Sequence[str]) -> Iterator[Sequence[float]]:
        """The passages' scores in batches, in order. May raise ModelError between them."""
        ...


class MaxSim:
    """Reranker: the mean over the question's tokens of the cosine of the nearest token in the passage."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    @property
    def name(self) -> str:
        """See Reranker."""
        return f"late interaction with {self._encoder.card.name}"

    def score(self, question: str, passages: Sequence[str]) -> Iterator[Sequence[float]]:
        """See Reranker. A passage without tokens, like any to a question without, scores 0."""
        (asked,) = self._encoder.encode_tokens([question], query=True)
        for at in range(0, len(passages), _BATCH):
            yield [_likeness(asked, held) for held in self._encoder.encode_tokens(passages[at : at + _BATCH])]


def _likeness(asked: Vectors, held: Vectors) -> float:
    """Between the tokens of a question and those of a passage, each [tokens, dimension]."""
    return float((asked @ held.T).max(axis=1).mean()) if len(asked) and len(held) else 0.0


@dataclass(frozen=True, slots=True)
class Reranking:
    """With what, and how long, candidates are read again; `texts` gives what chunks say."""

    reranker: Reranker
    texts: Callable[[Sequence[int]], Mapping[int, str]]
    depth: int = DEPTH
    seconds: float = SECONDS


@dataclass(slots=True)
class Reranked:
    """The fused scores handed out anew, best first, the reranker's own, and what went wrong in words (or "")."""

    final: dict[int, float]
    scores: dict[int, float] = field(default_factory=dict)
    note: str = ""


def rerank(question: str, fused: Mapping[int, float], how: Reranking) -> Reranked:
    """Order the best candidates anew. What was not scored keeps its place, and so do all when the reranker fails."""
    order = best_first(fused)
    candidates = order[: how.depth]
    scores, note = _scored(question, candidates, how)
    if len(scores) < 2:
        return Reranked({chunk: fused[chunk] for chunk in order}, scores, note)
    new = _mixed(fused, scores)
    places = [at for at, chunk in enumerate(candidates) if chunk in scores]
    for place, chunk in zip(places, new, strict=True):
        candidates[place] = chunk
    # A place keeps its score whoever stands there, so that scores fall with places however few were read.
    worth = [fused[chunk] for chunk in order]
    return Reranked(dict(zip([*candidates, *order[how.depth :]], worth, strict=True)), scores, note)


def _scored(question: str, candidates: Sequence[int], how: Reranking) -> tuple[dict[int, float], str]:
    """By chunk the reranker's score, as far as it came in time."""
    scores: dict[int, float] = {}
    started = time.monotonic()
    try:
        texts = how.texts(candidates)
        held = [chunk for chunk in candidates if chunk in texts]
        for batch in how.reranker.score(question, [texts[chunk] for chunk in held]):
            scores.update(zip(held[len(scores) :], batch, strict=False))
            if time.monotonic() - started > how.seconds and len(scores) < len(held):
                told = f"Only {len(scores)} of {len(held)} candidates were read again within {how.seconds:g} s"
                return scores, f"{told}; the others keep their places."
    except FAILURES:
        return {}, f"The candidates could not be read again ({how.reranker.name} failed); they keep their places."
    return scores, ""


def _mixed(fused: Mapping[int, float], scores: Mapping[int, float]) -> list[int]:
    """The scored candidates, best first: their fused scores count as two voices, the reranker's votes as one."""
    total, heard = sum(fused[chunk] for chunk in scores) or 1.0, votes(scores)
    return best_first({chunk: (1 - _WEIGHT) * fused[chunk] / total + _WEIGHT * heard[chunk] for chunk in scores})
