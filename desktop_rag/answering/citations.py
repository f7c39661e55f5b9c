"""Which sentence of which passage supports a sentence of the answer: alignment, no model asked.

Support of a span for a sentence joins two signals: the share of the sentence's content words (weighted
by rarity) that the span holds, and the cosine of their vectors. Numbers, codes and names must agree:
a span without the sentence's figures does not support it, however much else it shares.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
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
# How much a word counts that stands elsewhere in the passage, and one that the question brought itself.
_NEARBY = 0.5
_BROUGHT = 0.5
# A figure of one or two digits stands in too many sentences to tell them apart.
_TELLING = 3
# What is left of the fit of a span that says nothing, and of one without the number that was asked for.
_EMPTY = 0.7
_NUMBERLESS = 0.75
_ROW = re.compile(r"[|&\t]|\s{2,}\S+\s{2,}|(?:\d\S*\s+\D{0,12}){3,}|(?:[^;:\n]{1,40}: [^;\n]*; ){2,}")
_DATE = "date:"
_DATE_PART = re.compile(r"[\d./-]{1,10}|\d{1,2}(?:st|nd|rd|th)")
_FIGURE = re.compile(r"\[[A-Z][A-Z_]*(?:_\d+)?\]|\d")
# Headings, salutations and letterheads name what a text is about and say nothing of it.
_SAYS_NOTHING = re.compile(r"#+\s[^\n]*|[^|:;]*[^\s.!?…:;|)\"'”’»。！？।]\s*|[^|:;\n]*,\s*")
_ITEM = re.compile(r"\s*(?:[-*+•‣▪◦●·–—]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])\s")
_ASKS_NUMBER = re.compile(
    r"\b(?:how (?:much|many|long|often|old|far|high|large|fast)|when)\b"
    r"|\b(?:what|which) (?:year|date|day|time|percentage)\b"
    r"|\bwhat\b.*\b(?:costs?|pay|paid|price|fee|salary|rent|amount|total|deposit|balance)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|hundred|thousand"
    r"|half|quarter|thirds?|once|twice|daily|weekly|monthly|yearly|every)\b",
    re.IGNORECASE,
)


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
    """Every sentence of the passages, and every row of a table in them.

    A fragment too short to stand alone goes with the sentence after it.
    """
    found: list[Span] = []
    for index, text in enumerate(texts):
        held: int | None = None
        places = [row for place in sentences(text) for row in _rows(text, *place)]
        for number, (start, end) in enumerate(places):
            begin = start if held is None else held
            if end - begin < _SHORTEST_SPAN and number + 1 < len(places):
                held = begin
                continue
            held = None
            found.append(Span(index, begin, end, text[begin:end]))
    return found


def _rows(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """A stretch of lines that look like a table's rows, one by one; anything else as it is."""
    lines = [(m.start() + start, m.end() + start) for m in re.finditer(r"[^\n]+", text[start:end])]
    alike = sum(bool(_ROW.search(text[a:b])) for a, b in lines)
    return lines if len(lines) > 2 and 2 * alike > len(lines) else [(start, end)]


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
    fits = _fits(question, spans, of_spans @ of_question, terms, weights)
    relevance = [0.75 * fit + 0.25 * passage_scores[span.passage] for fit, span in zip(fits, spans, strict=True)]
    asked = set(terms(question))
    known = {passage: asked & there for passage, there in _by_passage(spans, terms).items()}
    # What the question brought says little; what the answer adds is what needs a source.
    fresh = {term: weight * (_BROUGHT if term in asked else 1.0) for term, weight in weights.items()}
    aligned = []
    for number, (start, end) in enumerate(parts):
        strengths = [
            _support(said[number], s.text, float(of_spans[i] @ of_said[number]), asked, known[s.passage], terms, fresh)
            for i, s in enumerate(spans)
        ]
        aligned.append(_choose(start, end, spans, strengths, relevance, opening=number == 0))
    return aligned


def grade(strength: float) -> Support:
    """A strength in 0..1 as a word."""
    return "supported" if strength >= SUPPORTED else "weak" if strength >= WEAK else "unsupported"


def closest(
    question: str, spans: Sequence[Span], *, terms: Terms, encode: Callable[[Sequence[str]], Array]
) -> list[tuple[Span, float]]:
    """The span that answers the question best by itself and how well it fits (0..1); none without spans.

    A second one follows where another passage says it nearly as well: the same row in two lists, say.
    """
    if not spans:
        return []
    vectors = encode([question, *[span.text for span in spans]])
    weights = _rarity([terms(span.text) for span in spans])
    fits = _fits(question, spans, vectors[1:] @ vectors[0], terms, weights)
    order = sorted(range(len(spans)), key=lambda i: (-fits[i], i))
    best = order[0]
    other = next((i for i in order if spans[i].passage != spans[best].passage), best)
    chosen = [best, other] if other != best and fits[other] >= _SECOND_SHARE * fits[best] else [best]
    return [(spans[i], fits[i]) for i in chosen]


def _fits(
    question: str, spans: Sequence[Span], cosines: Array, terms: Terms, weights: Mapping[str, float]
) -> list[float]:
    """How well each span speaks of what the question asks, 0..1.

    Dates, codes and figures of a question are copied from the document, so the span that holds them is
    preferred to one that only sounds alike. What a passage says elsewhere (its heading, the sentence
    before) counts for all its spans, at a discount: a sentence seldom repeats what it is about.
    """
    asked = set(terms(question))
    figures = {term for term in asked if _FIGURE.search(term) and len(term) >= _TELLING}
    held = [set(terms(span.text)) for span in spans]
    around = _by_passage(spans, terms)
    fits = []
    for span, there, cosine in zip(spans, held, cosines, strict=True):
        share = partial(_shared, there, around[span.passage], weights)
        fit = 0.5 * max(0.0, float(cosine)) + 0.5 * share(asked)
        fit = 0.6 * fit + 0.4 * share(figures) if figures else fit
        fits.append(fit * _bearing(question, span.text))
    return fits


def _shared(own: set[str], nearby: set[str], weights: Mapping[str, float], wanted: set[str]) -> float:
    return (1 - _NEARBY) * _covered(wanted, own, weights) + _NEARBY * _covered(wanted, nearby, weights)


def _by_passage(spans: Sequence[Span], terms: Terms) -> dict[int, set[str]]:
    """Every term of each passage."""
    held: dict[int, set[str]] = {}
    for span in spans:
        held.setdefault(span.passage, set()).update(terms(span.text))
    return held


def _bearing(question: str, span: str) -> float:
    """Below 1 for a span that cannot be the answer: it says nothing, or has no number where one is asked for."""
    bearing = _EMPTY if says_nothing(span) else 1.0
    if _ASKS_NUMBER.search(question) and not _NUMBER.search(_without(span, question)):
        bearing *= _NUMBERLESS
    return bearing


def says_nothing(span: str) -> bool:
    """Whether a span is a heading, a salutation or a letterhead: it names what a text is about, and no more."""
    return bool(_SAYS_NOTHING.fullmatch(span)) and not _ITEM.match(span) and not _ROW.search(span)


def _without(span: str, question: str) -> str:
    """The span without the words that the question brings itself."""
    return " ".join(word for word in span.split() if word.strip(".,;:()|") not in question)


def _choose(
    start: int,
    end: int,
    spans: Sequence[Span],
    strengths: Sequence[float],
    relevance: Sequence[float],
    *,
    opening: bool,
) -> Aligned:
    """The span that carries a sentence, and a second one where it tells the reader more.

    `opening`: the answer's first sentence; beside it stands the span that answers the question by itself,
    should the answer miss the point.
    """
    joined = [0.6 * s + 0.4 * r for s, r in zip(strengths, relevance, strict=True)]
    order = sorted(range(len(spans)), key=lambda i: (-joined[i], i))
    best = order[0]
    chosen = [(spans[best], strengths[best])]
    asked = max(range(len(spans)), key=lambda i: (relevance[i], -i))
    if opening and relevance[asked] > relevance[best]:
        chosen.append((spans[asked], strengths[asked]))
    for i in order[1:] if len(chosen) == 1 else ():
        elsewhere = spans[i].passage != spans[best].passage
        if elsewhere and strengths[i] >= WEAK and joined[i] >= _SECOND_SHARE * joined[best]:
            chosen.append((spans[i], strengths[i]))
            break
    return Aligned(start, end, grade(max(strength for _, strength in chosen)), tuple(chosen))


def _support(
    sentence: str,
    span: str,
    cosine: float,
    asked: set[str],
    known: set[str],
    terms: Terms,
    weights: Mapping[str, float],
) -> float:
    """How far a span carries a sentence, 0..1.

    `asked`: the question's terms; `known`: those of them the span's passage holds, which it need not repeat.
    """
    said, there = set(terms(sentence)), set(terms(span))
    if said and said <= asked:
        # It only says the question again.
        return 0.0
    score = 0.55 * _covered(said, there, weights) + 0.45 * max(0.0, cosine)
    figures = {term for term in said if _FIGURE.search(term)}
    missing = figures - there - known
    dates = {term for term in figures if term.startswith(_DATE)}
    if dates and dates <= there:
        # The date is there, written in another way: its day and year need not be.
        missing = {term for term in missing if not _DATE_PART.fullmatch(term)}
    if missing:
        score = min(score, WEAK - 0.01) * (1 - 0.5 * len(missing) / len(figures - known))
    return score


def _covered(wanted: set[str], there: set[str], weights: Mapping[str, float]) -> float:
    """The share of the wanted terms' weight that is there; terms no span holds weigh the most."""
    heaviest = max(weights.values(), default=1.0)
    total = sum(weights.get(term, heaviest) for term in wanted)
    return sum(weights.get(term, heaviest) for term in wanted & there) / total if total else 0.0


def _rarity(documents: Sequence[list[str]]) -> dict[str, float]:
    counts = Counter(term for document in documents for term in set(document))
    return {term: math.log(1 + len(documents) / count) for term, count in counts.items()}
