"""Which sentence of which passage supports a sentence of the answer: alignment, no model asked.

Support of a span for a sentence joins two signals: the share of the sentence's content words (weighted
by rarity) that the span holds, and the cosine of their vectors. Numbers, codes and names must agree:
a span without the sentence's figures supports it at most weakly.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from desktop_rag.documents.sentences import sentences

Support = Literal["supported", "weak", "unsupported"]
Terms = Callable[[str], list[str]]
Array = np.ndarray[Any, np.dtype[np.float32]]

SUPPORTED = 0.62
WEAK = 0.42
_SHORTEST_SPAN = 15
_SECOND_SHARE = 0.85
_FIGURE = re.compile(r"\[[A-Z][A-Z_]*(?:_\d+)?\]|\d")


@dataclass(frozen=True, slots=True)
class Span:
    """One sentence of a passage: `passage` is its index, offsets are into the passage's text."""

    passage: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Aligned:
    """A sentence of the answer with its support and the spans that carry it, best first."""

    start: int
    end: int
    support: Support
    spans: tuple[tuple[Span, float], ...]


def passage_spans(texts: Sequence[str]) -> list[Span]:
    """Every sentence of the passages; a fragment too short to stand alone goes with the sentence after it."""
    found: list[Span] = []
    for index, text in enumerate(texts):
        held: int | None = None
        places = sentences(text)
        for number, (start, end) in enumerate(places):
            begin = start if held is None else held
            if end - begin < _SHORTEST_SPAN and number + 1 < len(places):
                held = begin
                continue
            held = None
            found.append(Span(index, begin, end, text[begin:end]))
    return found


def align(
    answer: str,
    question: str,
    spans: Sequence[Span],
    passage_scores: Sequence[float],
    *,
    terms: Terms,
    encode: Callable[[Sequence[str]], Array],
) -> list[Aligned]:
    """Support for each sentence of the answer.

    `passage_scores`: retrieval scores in 0..1 by passage; they and the question break ties between
    spans that say the same. `encode` gives normalised rows [n, d].
    """
    parts = sentences(answer)
    if not parts or not spans:
        return [Aligned(start, end, "unsupported", ()) for start, end in parts]
    said = [answer[start:end] for start, end in parts]
    vectors = encode([*said, question, *[span.text for span in spans]])
    of_said, of_question, of_spans = vectors[: len(said)], vectors[len(said)], vectors[len(said) + 1 :]
    weights = _rarity([terms(span.text) for span in spans])
    asked = set(terms(question))
    relevance = [
        0.5 * max(0.0, float(of_spans[i] @ of_question))
        + 0.25 * _covered(asked, set(terms(span.text)), weights)
        + 0.25 * passage_scores[span.passage]
        for i, span in enumerate(spans)
    ]
    aligned = []
    for number, (start, end) in enumerate(parts):
        strengths = [
            _support(said[number], s.text, float(of_spans[i] @ of_said[number]), terms, weights)
            for i, s in enumerate(spans)
        ]
        aligned.append(_choose(start, end, spans, strengths, relevance))
    return aligned


def _choose(
    start: int, end: int, spans: Sequence[Span], strengths: Sequence[float], relevance: Sequence[float]
) -> Aligned:
    joined = [0.6 * s + 0.4 * r for s, r in zip(strengths, relevance, strict=True)]
    order = sorted(range(len(spans)), key=lambda i: (-joined[i], i))
    best = order[0]
    strongest = max(strengths[i] for i in order[:3])
    support: Support = "supported" if strongest >= SUPPORTED else "weak" if strongest >= WEAK else "unsupported"
    chosen = [(spans[best], strengths[best])]
    for i in order[1:]:
        if spans[i].passage != spans[best].passage and joined[i] >= _SECOND_SHARE * joined[best]:
            chosen.append((spans[i], strengths[i]))
            break
    return Aligned(start, end, support, tuple(chosen))


def _support(sentence: str, span: str, cosine: float, terms: Terms, weights: Mapping[str, float]) -> float:
    said, there = set(terms(sentence)), set(terms(span))
    score = 0.55 * _covered(said, there, weights) + 0.45 * max(0.0, cosine)
    figures = {term for term in said if _FIGURE.search(term)}
    if figures - there:
        score = min(score, SUPPORTED - 0.01) * (1 - 0.5 * len(figures - there) / len(figures))
    return score


def _covered(wanted: set[str], there: set[str], weights: Mapping[str, float]) -> float:
    """The share of the wanted terms' weight that is there; terms no span holds weigh the most."""
    heaviest = max(weights.values(), default=1.0)
    total = sum(weights.get(term, heaviest) for term in wanted)
    return sum(weights.get(term, heaviest) for term in wanted & there) / total if total else 0.0


def _rarity(documents: Sequence[list[str]]) -> dict[str, float]:
    counts = Counter(term for document in documents for term in set(document))
    return {term: math.log(1 + len(documents) / count) for term, count in counts.items()}
