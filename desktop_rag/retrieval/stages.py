"""The two sides of a search, words and meaning, and what joins them: each candidate scored by both.

What fails is noted and left out; only when nothing else found anything is its error raised.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from desktop_rag.errors import DesktopRagError
from desktop_rag.retrieval.deep import SECONDS, Member, gather
from desktop_rag.retrieval.encode import Vectors
from desktop_rag.retrieval.fuse import Fusion, best_first, normalised
from desktop_rag.retrieval.lexical import Found, Scores, WordSearch

ByCollection = Mapping[int, Vectors]
"""The question's vector for each collection; collections of one encoder share the very same one."""
FAILURES = (DesktopRagError, RuntimeError, ValueError, OSError, MemoryError)
"""What a stage raises that others can make up for; anything else is a bug and must be seen."""
_WORDS, _MEANING, _OTHER_WORDS = "words", "meaning", "the question in other words"


class DenseIndex(Protocol):
    """Finds chunks near a vector. Called from other threads in a deep search."""

    def search(self, query: Vectors, collection: int, limit: int) -> Mapping[int, float]:
        """Chunk ids with their cosine."""
        ...

    def scores(self, query: Vectors, collections: Sequence[int], chunks: Sequence[int]) -> Mapping[int, float]:
        """The cosines of those of the chunks that are in the collections and have a vector."""
        ...


@dataclass(frozen=True, slots=True)
class Deep:
    """What a deep search has beside the others.

    `rewritten` makes the vectors of the question in other words; `names` are those of the collections that are
    searched each by itself as well; `interrupt` ends what late members do in the database.
    """

    rewritten: Callable[[], ByCollection] | None = None
    names: Mapping[int, str] = field(default_factory=dict)
    seconds: float = SECONDS
    interrupt: Callable[[], None] = lambda: None


class Stages:
    """One search: `notes`, `timings_ms` and `members` tell how it went."""

    def __init__(
        self,
        query: str,
        vectors: ByCollection,
        collections: Sequence[int],
        lexical: WordSearch,
        dense: DenseIndex,
        limit: int,
    ) -> None:
        self._query, self._vectors, self._collections, self._limit = query, dict(vectors), list(collections), limit
        self._lexical, self._dense = lexical, dense
        self.notes: list[str] = []
        self.timings_ms: dict[str, float] = {}
        self.members: list[dict[str, Any]] = []
        self.failure: Exception | None = None
        # Every chunk that shares a term with the question: the other side may find one far down.
        self._all_words: Mapping[int, float] = {}
        # Of which encoder a chunk's cosine is.
        self._encoder: dict[int, int] = {}

    def words(self, name: str = "bm25") -> Scores:
        """The best by words; `name` is that of the formula."""
        with self._stage(name, "The search by words failed and was left out."):
            self._all_words = self._lexical.search(self._query, self._collections)
        return best(self._all_words, self._limit)

    def meaning(self) -> Scores:
        """The best by cosine."""
        found: Scores = {}
        if self._vectors:
            with self._stage("dense", "The search by meaning failed and was left out."):
                found = self._near(self._vectors)
        return found

    def deep(self, how: Deep) -> tuple[Scores, Scores]:
        """The two sides' scores of all that the members found."""
        started = time.perf_counter()
        other: dict[int, Vectors] = {}
        gathered = gather(self._members(how, other), how.seconds, how.interrupt)
        self.timings_ms["members"] = since(started)
        self.members = [report.told() for report in gathered.reports]
        self.notes += gathered.notes
        self._all_words = gathered.found.pop(_WORDS, {})
        by_words = best(self._all_words, self._limit)
        if _OTHER_WORDS in gathered.found:
            self._vectors = _between(self._vectors, other)
        candidates = set(by_words).union(*gathered.found.values())
        by_meaning = dict(gathered.found.get(_MEANING, {}))
        with self._stage("join", "The candidates could not all be compared by meaning."):
            by_meaning = self._cosines(sorted(candidates)) or by_meaning
        return by_words, by_meaning

    def completed(self, by_meaning: Scores, by_words: Scores) -> tuple[Scores, Scores]:
        """Both sides with a score for what only the other found; a side that found nothing stays empty."""
        if by_words:
            by_words = {chunk: self._all_words.get(chunk, 0.0) for chunk in by_meaning.keys() | by_words.keys()}
        missing = [chunk for chunk in by_words if chunk not in by_meaning]
        if by_meaning and missing:
            with self._stage("join", "What only the words found could not be compared by meaning."):
                by_meaning = by_meaning | self._cosines(missing)
        return by_meaning, by_words

    def levelled(self, by_meaning: Scores) -> Scores:
        """Cosines as they are, or those of several encoders each between its least and its best: else none compare."""
        own: dict[int, Scores] = {}
        for chunk, cosine in by_meaning.items():
            own.setdefault(self._encoder.get(chunk, 0), {})[chunk] = cosine
        if len(own) < 2:
            return by_meaning
        return {chunk: score for part in own.values() for chunk, score in normalised(part).items()}

    def _members(self, how: Deep, other: dict[int, Vectors]) -> list[Member]:
        """Who looks; `other` gets the vectors of the question in other words once they are made."""
        members = [Member(_WORDS, lambda: self._lexical.search(self._query, self._collections))]
        make = how.rewritten
        if self._vectors:
            members.append(Member(_MEANING, lambda: self._near(self._vectors)))
        if self._vectors and make is not None:

            def rewritten() -> Scores:
                other.update(make())
                return self._near(other)

            members.append(Member(_OTHER_WORDS, rewritten))
        return members + [self._own(collection, name) for collection, name in how.names.items()]

    def _own(self, collection: int, name: str) -> Member:
        """A collection by itself: where another one is larger, its passages may not come up among all."""

        def find() -> Scores:
            held = {collection: self._vectors[collection]} if collection in self._vectors else {}
            by_words = best(self._lexical.search(self._query, [collection]), self._limit)
            return best(Fusion().join(self._near(held), by_words), self._limit)

        return Member(f"collection “{name}”", find)

    def _near(self, vectors: ByCollection) -> Scores:
        found: Scores = {}
        for collection in self._collections:
            if collection in vectors:
                hits = self._dense.search(vectors[collection], collection, self._limit)
                self._encoder.update(dict.fromkeys(hits, id(self._vectors[collection])))
                found.update(hits)
        return best(found, self._limit)

    def _cosines(self, chunks: Sequence[int]) -> Scores:
        groups: dict[int, list[int]] = {}
        for collection in self._collections:
            if collection in self._vectors:
                groups.setdefault(id(self._vectors[collection]), []).append(collection)
        found: Scores = {}
        for encoder, own in groups.items():
            hits = self._dense.scores(self._vectors[own[0]], own, chunks)
            self._encoder.update(dict.fromkeys(hits, encoder))
            found.update(hits)
        return found

    @contextmanager
    def _stage(self, name: str, note: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        except FAILURES as error:
            self.failure = error
            self.notes.append(note)
        self.timings_ms[name] = since(started)


def best(scores: Mapping[int, float], limit: int) -> Scores:
    """The best so many, best first; equal ones by id."""
    if isinstance(scores, Found):
        return scores.best(limit)
    if len(scores) > limit:
        # Of a hundred thousand only those that can be among the best are sorted.
        worth = np.fromiter(scores.values(), np.float64, len(scores))
        least = np.partition(worth, -limit)[-limit]
        scores = {chunk: score for chunk, score in scores.items() if score >= least}
    return {chunk: scores[chunk] for chunk in best_first(scores)[:limit]}


def since(start: float) -> float:
    """Milliseconds since then, by `time.perf_counter`."""
    return round((time.perf_counter() - start) * 1000, 3)


def _between(first: ByCollection, second: ByCollection) -> dict[int, Vectors]:
    """By collection the direction between two vectors; still the very same one for collections of one encoder."""
    made: dict[int, Vectors] = {}
    for collection, vector in first.items():
        if id(vector) not in made:
            both = vector + second.get(collection, vector)
            made[id(vector)] = np.asarray(both / max(float(np.linalg.norm(both)), 1e-9), dtype=np.float32)
    return {collection: made[id(vector)] for collection, vector in first.items()}
