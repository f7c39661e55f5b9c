"""How good a ranking is, from relevance judgements: the figures of trec_eval, equal to pytrec_eval's. Pure.

nDCG with linear gain and log2 discount (Järvelin and Kekäläinen, 2002); average precision over all relevant documents;
MRR as trec_eval's recip_rank where the first relevant document is among the first ten.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

Judged = Mapping[str, int]
"""By document how relevant it is to one question; 0 and less is not relevant, and so is a document not in it."""
Judgements = Mapping[str, Judged]
Scored = Mapping[str, float]
FIGURES = ("ndcg@10", "map", "mrr@10", "recall@10", "recall@100", "success@1")


def ordered(scores: Scored) -> list[str]:
    """Documents from best to worst as trec_eval sorts them: by score in single precision, then by id, descending."""
    return sorted(scores, key=lambda document: (_single(scores[document]), document.encode()), reverse=True)


def _single(value: float) -> float:
    return float(struct.unpack("f", struct.pack("f", value))[0])


def figures(order: Sequence[str], judged: Judged) -> dict[str, float]:
    """The figures of one question's ranking."""
    gains = [max(0, judged.get(document, 0)) for document in order]
    relevant = sum(level > 0 for level in judged.values())
    return {
        "ndcg@10": ndcg(gains, judged.values(), 10),
        "map": average_precision(gains, relevant),
        "mrr@10": reciprocal_rank(gains[:10]),
        "recall@10": recall(gains[:10], relevant),
        "recall@100": recall(gains[:100], relevant),
        "success@1": float(bool(gains[:1] and gains[0])),
    }


def ndcg(gains: Sequence[int], judged: Iterable[int], k: int) -> float:
    """Discounted gain of the first `k`, as a share of the best order's; 0 where nothing is relevant."""
    best = _dcg(sorted((level for level in judged if level > 0), reverse=True)[:k])
    return _dcg(gains[:k]) / best if best else 0.0


def _dcg(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def average_precision(gains: Sequence[int], relevant: int) -> float:
    """Mean over all relevant documents of the precision at their rank; one that was not found counts as 0."""
    found, total = 0, 0.0
    for rank, gain in enumerate(gains, start=1):
        if gain:
            found += 1
            total += found / rank
    return total / relevant if relevant else 0.0


def reciprocal_rank(gains: Sequence[int]) -> float:
    """1 / rank of the first relevant document; 0 where there is none."""
    return next((1 / rank for rank, gain in enumerate(gains, start=1) if gain), 0.0)


def recall(gains: Sequence[int], relevant: int) -> float:
    """The share of the relevant documents that was found."""
    return sum(gain > 0 for gain in gains) / relevant if relevant else 0.0


def by_question(run: Mapping[str, Scored], judgements: Judgements) -> dict[str, dict[str, float]]:
    """The figures of every judged question, in the order of the judgements; one without an answer has zeros."""
    return {question: figures(ordered(run.get(question, {})), judged) for question, judged in judgements.items()}


def averaged(rows: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """The mean of every figure over questions."""
    held = list(rows)
    return {name: fmean(row[name] for row in held) for name in FIGURES}
