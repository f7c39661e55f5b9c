"""Reading everything there is for one question: every sentence is weighed, the telling ones are kept. Pure, numpy.

A list or a count takes the sentences that speak of what is asked, a comparison those of each document that do, a
summary those that say most of what a document says as a whole (the nearest to its mean, and unlike each other:
maximal marginal relevance, Carbonell and Goldstein 1998). What is kept is quoted, so each line has its source.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from desktop_rag.answering.scope import Kind

Array = np.ndarray[Any, np.dtype[np.float32]]

# A sentence is kept when it speaks of the question by so much, and by so much of what the best one does.
ENOUGH = 0.5
_OF_BEST = 0.75
# What is left of the fit of a heading, a salutation or a letterhead: it names things and says nothing of them.
_EMPTY = 0.6
# How much of a term counts that stands elsewhere in the passage: a sentence seldom repeats what it is about.
_NEARBY = 0.5
_NOVELTY = 0.7
# The sentences a summary takes of one document.
_OF_ONE = 6


@dataclass(frozen=True, slots=True)
class Place:
    """A sentence of a passage; `start` and `end` are offsets into its text, `fit` (0..1) tells how well it fits."""

    chunk: int
    document: str
    start: int
    end: int
    text: str
    fit: float


@dataclass(slots=True)
class _Held:
    document: str
    chunk: int
    start: int
    end: int
    text: str
    cosine: float
    own: frozenset[str]
    near: frozenset[str]
    vector: Array
    empty: bool


@dataclass(slots=True)
class Reading:
    """What was read so far for a question with the vector `question` and the terms `asked`.

    `unrelated` is the cosine that this encoder gives to texts that have nothing to do with each other.
    The vectors of all sentences are kept: 1.5 kB each.
    """

    question: Array
    asked: frozenset[str]
    kind: Kind
    unrelated: float = 0.0
    sentences: int = 0
    _held: list[_Held] = field(default_factory=list)
    _spread: Counter[str] = field(default_factory=Counter)
    _meant: set[str] = field(default_factory=set)

    def read(
        self,
        document: str,
        chunk: int,
        spans: Sequence[tuple[int, int, str]],
        terms: Sequence[Collection[str]],
        vectors: Array,
        empty: Sequence[bool],
    ) -> None:
        """Weigh the sentences (start, end, text) of a passage, with their terms and vectors [n, dimension].

        `empty` tells which of them say nothing, such as headings.
        """
        own = [self.asked.intersection(words) for words in terms]
        near = frozenset[str]().union(*own)
        cosines = vectors @ self.question
        for at, (start, end, text) in enumerate(spans):
            self.sentences += 1
            self._spread.update(own[at])
            cosine = (float(cosines[at]) - self.unrelated) / (1 - self.unrelated)
            self._held.append(_Held(document, chunk, start, end, text, cosine, own[at], near, vectors[at], empty[at]))

    def named(self, document: str, terms: Collection[str]) -> None:
        """What a document is called: a summary is asked of those whose name says what the question asks for."""
        if 2 * len(self.asked.intersection(terms)) >= max(1, len(self.asked)):
            self._meant.add(document)

    def kept(self, most: int) -> list[Place]:
        """At most `most` sentences, in the order in which they were read."""
        fits = [self._fit(held) for held in self._held]
        best = sorted(range(len(fits)), key=lambda at: (-fits[at], at))
        if self.kind == "summarise":
            chosen = self._salient(self._spoken_of(fits), most)
        elif self.kind == "compare":
            chosen = self._distinct(self._shared_out(best, fits))
        else:
            enough = max(ENOUGH, _OF_BEST * max(fits, default=0.0))
            chosen = self._distinct(at for at in best if fits[at] >= enough)
        return [self._place(at, fits[at]) for at in sorted(chosen[:most])]

    def _fit(self, held: _Held) -> float:
        weights = {term: math.log(1 + self.sentences / count) for term, count in self._spread.items() if count}
        total = sum(weights.values())
        fit = max(0.0, held.cosine)
        if total:
            own, near = (sum(weights[term] for term in terms) / total for terms in (held.own, held.near))
            fit = 0.5 * fit + 0.5 * ((1 - _NEARBY) * own + _NEARBY * near)
        return fit * _EMPTY if held.empty else fit

    def _by_document(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for at, held in enumerate(self._held):
            found.setdefault(held.document, []).append(at)
        return found

    def _spoken_of(self, fits: Sequence[float]) -> list[list[int]]:
        """The sentences of each document that a summary is asked of; all of them where the question names none."""
        found = self._by_document()
        best = {document: max(fits[at] for at in places) for document, places in found.items()}
        enough = _OF_BEST * max(best.values(), default=0.0)
        meant: Collection[str] = self._meant.intersection(found)
        if not meant and enough >= ENOUGH * _OF_BEST:
            meant = {document for document in found if best[document] >= enough}
        return [
            [at for at in places if not self._held[at].empty]
            for document, places in found.items()
            if not meant or document in meant
        ]

    def _salient(self, documents: Sequence[Sequence[int]], most: int) -> list[int]:
        each = min(_OF_ONE, max(1, most // max(1, len(documents))))
        return [
            places[i]
            for places in documents
            if places
            for i in _salient(np.stack([self._held[at].vector for at in places]), each)
        ]

    def _shared_out(self, best: Iterable[int], fits: Sequence[float]) -> list[int]:
        """Of each document what speaks most of what is compared, in turn: one that says much leaves the others room."""
        turns: Counter[str] = Counter()
        first: dict[str, float] = {}
        taken = []
        for rank, at in enumerate(best):
            document = self._held[at].document
            enough = _OF_BEST * first.setdefault(document, fits[at])
            if fits[at] >= max(enough, _OF_BEST * ENOUGH):
                taken.append((turns[document], rank, at))
                turns[document] += 1
        return [at for _turn, _rank, at in sorted(taken)]

    def _distinct(self, order: Iterable[int]) -> list[int]:
        """Without sentences that stand word for word in the same document again, as where passages overlap."""
        seen: set[tuple[str, str]] = set()
        kept = []
        for at in order:
            said = self._held[at].document, " ".join(self._held[at].text.split()).casefold()
            if said not in seen:
                seen.add(said)
                kept.append(at)
        return kept

    def _place(self, at: int, fit: float) -> Place:
        held = self._held[at]
        return Place(held.chunk, held.document, held.start, held.end, held.text, round(fit, 4))


def _salient(vectors: Array, most: int) -> list[int]:
    """The rows nearest to the mean of all that are unlike those chosen before."""
    middle = vectors.mean(axis=0)
    nearness = vectors @ (middle / max(float(np.linalg.norm(middle)), 1e-9))
    chosen: list[int] = []
    likeness = np.zeros(len(vectors), dtype=np.float32)
    while len(chosen) < min(most, len(vectors)):
        worth = nearness - _NOVELTY * likeness
        worth[chosen] = -np.inf
        chosen.append(int(worth.argmax()))
        likeness = np.maximum(likeness, vectors @ vectors[chosen[-1]])
    return chosen
