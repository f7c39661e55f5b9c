"""BM25 over the words of passages, kept in the encrypted database and written in the transaction of the text.

Document frequency and average length are taken at query time, so adding or removing a document rescores nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from desktop_rag.retrieval.analyse import ENGLISH, question_terms, terms
from desktop_rag.retrieval.bm25 import Bm25, Numbers, TermScore
from desktop_rag.retrieval.passages import Passages, Sizes
from desktop_rag.retrieval.postings import Entries, Hits, Postings

Scores = dict[int, float]


class Found(Mapping[int, float]):
    """The score of every chunk that shares a term with a question, without a list of them being made."""

    def __init__(self, scores: Numbers) -> None:
        self._scores = scores

    def __getitem__(self, chunk: int) -> float:
        score = float(self._scores[chunk]) if 0 <= chunk < len(self._scores) else 0.0
        if not score:
            raise KeyError(chunk)
        return score

    def __iter__(self) -> Iterator[int]:
        return iter(np.flatnonzero(self._scores).tolist())

    def __len__(self) -> int:
        return int(np.count_nonzero(self._scores))

    def best(self, limit: int) -> dict[int, float]:
        """The best so many, best first; equal ones by id."""
        chunks = np.flatnonzero(self._scores)
        worth = self._scores[chunks]
        if len(chunks) > limit:
            least = np.partition(worth, -limit)[-limit]
            chunks, worth = chunks[worth >= least], worth[worth >= least]
        order = np.lexsort((chunks, -worth))[:limit]
        return dict(zip(chunks[order].tolist(), worth[order].tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Match:
    """A word of a question, or what it is in several languages: where it stands in the chosen collections."""

    words: frozenset[str]
    times: int
    chunks: Numbers
    frequencies: Numbers


class WordSearch(Protocol):
    """Ranks chunks by their words. Searches may run in several threads."""

    def search(self, query: str, collections: Sequence[int]) -> Mapping[int, float]:
        """The score of every chunk that shares a term with the query."""
        ...


class LexicalIndex(WordSearch, Protocol):
    """Finds chunks by their words."""

    def add(self, chunk: int, text: str) -> int:
        """Index one chunk, in its document's language, in the caller's transaction; returns its length in terms."""
        ...

    def remove(self, chunks: Sequence[int]) -> int:
        """Take chunks out, inside the caller's transaction; returns how many terms went with them."""
        ...

    def count(self) -> int:
        """How many chunks are indexed."""
        ...

    def missing(self, words: Iterable[str], collections: Sequence[int]) -> set[str]:
        """Those of the terms that no chunk holds."""
        ...

    def having(self, term: str) -> list[int] | None:
        """The chunks that have a term; None for one that the index does not know."""
        ...

    def leftover(self, after: int, upto: int) -> bool:
        """Whether a term numbered above `after` and up to `upto` belongs to no chunk."""
        ...

    def agrees(self) -> bool:
        """Whether what is searched is what the chunks have."""
        ...

    def rebuild(self) -> None:
        """Make what is searched anew from the chunks' terms, inside the caller's transaction."""
        ...

    def analyses(self, text: str, collections: Sequence[int]) -> list[list[str]]:
        """The terms of a text in each language that documents of the collections are in."""
        ...


class PostingsIndex:
    """LexicalIndex over `Postings` and `Passages`."""

    def __init__(self, connection: Any, postings: Postings | None = None) -> None:
        self._db = connection
        self._postings = postings or Postings(connection)
        self._passages = Passages(connection)
        self._languages: dict[tuple[int, ...], list[str]] = {}
        self._as_of = -1

    def add(self, chunk: int, text: str) -> int:
        """See LexicalIndex."""
        row = self._db.execute(
            "SELECT d.language FROM chunks k JOIN documents d ON d.id = k.document_id WHERE k.id = ?", (chunk,)
        ).fetchone()
        counts = Counter(terms(text, row[0] if row else None))
        self._passages.changed([chunk])
        self._postings.add(chunk, counts)
        return sum(counts.values())

    def remove(self, chunks: Sequence[int]) -> int:
        """See LexicalIndex. Terms that nothing uses any more go too: a rare word can be a person's."""
        self._passages.changed(chunks)
        return self._postings.remove(chunks)

    def search(self, query: str, collections: Sequence[int], how: Bm25 | None = None) -> Found:
        """See LexicalIndex."""
        how = how or Bm25()
        matches, sizes = self.matches(query, collections)
        total, average = sizes.of(collections)
        scores = np.zeros(len(sizes.lengths))
        for match in matches:
            weight = match.times * how.rarity(total, len(match.chunks))
            scores[match.chunks] += weight * how.saturated(match.frequencies, sizes.lengths[match.chunks], average)
        return Found(scores)

    def explain(self, query: str, chunk: int, collections: Sequence[int], how: Bm25 | None = None) -> list[TermScore]:
        """What each word of the question gives the chunk, the most first; the scores sum to that of `search`."""
        how = how or Bm25()
        matches, sizes = self.matches(query, collections)
        total, average = sizes.of(collections)
        told = []
        for match in matches:
            here = np.flatnonzero(match.chunks == chunk)
            if len(here):
                frequency = match.frequencies[here]
                factor = float(how.saturated(frequency, sizes.lengths[[chunk]], average)[0])
                idf = how.rarity(total, len(match.chunks))
                term = " / ".join(sorted(match.words))
                counts = (match.times, int(frequency[0]), len(match.chunks))
                told.append(TermScore(term, *counts, idf, factor, match.times * idf * factor))
        return sorted(told, key=lambda one: -one.score)

    def matches(self, query: str, collections: Sequence[int]) -> tuple[list[Match], Sizes]:
        """The question's words that stand somewhere in the collections, and the passages' sizes."""
        asked = question_terms(query, self._spoken(collections))
        held = self._postings.read(set().union(*asked))
        # After the words: a passage that comes meanwhile has its place then.
        sizes = self._passages.sizes()
        mask, found = sizes.mask(collections), []
        for words, times in asked.items():
            variants = [held[word] for word in sorted(words) if word in held]
            if variants:
                chunks, frequencies = _of(variants[0] if len(variants) == 1 else _together(variants), mask, sizes)
                if len(chunks):
                    found.append(Match(words, times, chunks, frequencies))
        return found, sizes

    def count(self) -> int:
        """See LexicalIndex. A chunk without a single term ("-,-") is indexed too: nothing of it is left to do."""
        return self._postings.count()

    def missing(self, words: Iterable[str], collections: Sequence[int]) -> set[str]:
        """See LexicalIndex."""
        asked = set(words)
        found = self._postings.read(asked)
        sizes = self._passages.sizes()
        mask = sizes.mask(collections)
        return asked - {word for word, hits in found.items() if len(_of(hits, mask, sizes)[0])}

    def words(self, chunks: Sequence[int]) -> Entries:
        """The terms of some chunks, by the numbers that stand for them."""
        return self._postings.words(chunks)

    def sizes(self) -> Sizes:
        """The chunks' lengths in terms, and their collections."""
        return self._passages.sizes()

    def having(self, term: str) -> list[int] | None:
        """See LexicalIndex."""
        if term not in self._postings.numbers([term]):
            return None
        chunks, _ = self._postings.read([term]).get(term, ((), ()))
        return sorted(map(int, chunks))

    def leftover(self, after: int, upto: int) -> bool:
        """See LexicalIndex."""
        return self._postings.leftover(after, upto)

    def promote(self, seconds: float) -> bool:
        """See Postings. In the caller's transaction."""
        return self._postings.promote(seconds)

    def agrees(self) -> bool:
        """See LexicalIndex."""
        return self._postings.agrees()

    def rebuild(self) -> None:
        """See LexicalIndex."""
        self._postings.rebuild()
        self._passages = Passages(self._db)

    def analyses(self, text: str, collections: Sequence[int]) -> list[list[str]]:
        """See LexicalIndex."""
        return [terms(text, language) for language in self._spoken(collections)]

    def _spoken(self, collections: Sequence[int]) -> list[str]:
        """The languages of the collections' documents; asked of the database again after anything was written to it."""
        if self._as_of != self._db.total_changes:
            self._languages, self._as_of = {}, self._db.total_changes
        key = tuple(collections)
        if key not in self._languages:
            marks = ",".join("?" * len(key))
            query = f"SELECT DISTINCT language FROM documents WHERE collection_id IN ({marks})"
            found = sorted({row[0] or ENGLISH for row in self._db.execute(query, key)})
            self._languages[key] = found or [ENGLISH]
        return self._languages[key]


def _of(hits: Hits, mask: Numbers | None, sizes: Sizes) -> Hits:
    """Those in the collections of a mask."""
    chunks, frequencies = hits
    if mask is None:
        return hits
    chosen = mask[sizes.collections[chunks]]
    return chunks[chosen], frequencies[chosen]


def _together(variants: Sequence[Hits]) -> Hits:
    """What a word is in several languages, as one word."""
    chunks, places = np.unique(np.concatenate([hits[0] for hits in variants]), return_inverse=True)
    return chunks, np.bincount(places, np.concatenate([hits[1] for hits in variants]))
