"""TF-IDF, as it was before BM25: a word counts as often as it stands, weighed by rarity, ln(N / n).

"raw" sums these and so likes long passages; "cosine" divides by the length of the passage's vector of weights
(Salton and Buckley, "Term-Weighting Approaches in Automatic Text Retrieval", 1988).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from desktop_rag.retrieval.bm25 import Numbers
from desktop_rag.retrieval.lexical import Found, PostingsIndex
from desktop_rag.retrieval.passages import Sizes
from desktop_rag.retrieval.postings import Entries

Norm = Literal["raw", "cosine"]
_AT_ONCE = 2000
# A word that all passages have weighs nothing; who has it is found all the same, after all others.
_LEAST = 1e-9


class TfIdf:
    """Searches as `PostingsIndex` does. The norms are made when first asked for, and kept while nothing changes."""

    def __init__(self, index: PostingsIndex, norm: Norm = "cosine") -> None:
        self._index = index
        self._norm = norm
        self._kept: tuple[Sizes, tuple[int, ...], Numbers] | None = None

    def search(self, query: str, collections: Sequence[int]) -> Found:
        """The score of every chunk that shares a term with the query."""
        matches, sizes = self._index.matches(query, collections)
        total, _ = sizes.of(collections)
        scores = np.zeros(len(sizes.lengths))
        for match in matches:
            idf = math.log(total / len(match.chunks))
            # The question is weighed as the passages are.
            scores[match.chunks] += match.times * idf * idf * match.frequencies
        if self._norm == "cosine" and matches:
            norms = self._norms(sizes, collections)
            scores = np.divide(scores, norms, out=np.zeros_like(scores), where=norms > 0)
        for match in matches:
            scores[match.chunks] = np.maximum(scores[match.chunks], _LEAST)
        return Found(scores)

    def _norms(self, sizes: Sizes, collections: Sequence[int]) -> Numbers:
        """By chunk id the length of the vector of a passage's weights."""
        key = tuple(sorted(collections))
        if self._kept is None or self._kept[0] is not sizes or self._kept[1] != key:
            self._kept = sizes, key, self._made(sizes, key)
        return self._kept[2]

    def _made(self, sizes: Sizes, collections: Sequence[int]) -> Numbers:
        """Two readings of all words: how many passages have each, and what that makes of each passage."""
        chunks = np.flatnonzero(np.isin(sizes.collections, [each for each in collections if each]))
        having = np.zeros(0, dtype=np.int64)
        for held in self._read(chunks):
            counted = np.bincount(held.terms, minlength=len(having))
            counted[: len(having)] += having
            having = counted
        rarity = np.log(max(len(chunks), 1) / np.maximum(having, 1))
        squares = np.zeros(len(sizes.lengths))
        for held in self._read(chunks):
            squares += np.bincount(held.chunks, (held.frequencies * rarity[held.terms]) ** 2, len(squares))
        return np.asarray(np.sqrt(squares))

    def _read(self, chunks: Numbers) -> Iterator[Entries]:
        for at in range(0, len(chunks), _AT_ONCE):
            yield self._index.words(chunks[at : at + _AT_ONCE].tolist())


def length_bias(index: PostingsIndex, queries: Sequence[str], collections: Sequence[int]) -> dict[str, float]:
    """The mean length in terms of what "raw", "cosine" and "bm25" find first; under "all" that of all passages."""
    sizes = index.sizes()
    told = {"all": sizes.of(collections)[1]}
    searches = {"raw": TfIdf(index, "raw").search, "cosine": TfIdf(index).search, "bm25": index.search}
    for name, search in searches.items():
        firsts = [first for query in queries for first in search(query, collections).best(1)]
        told[name] = float(sizes.lengths[firsts].mean()) if firsts else 0.0
    return told
