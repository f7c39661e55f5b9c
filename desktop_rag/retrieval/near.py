"""What a team's server found near a question, in the place of a collection's own search by meaning.

The server only says which passages to look at: what they are worth is computed from the vectors held here, so that
everything after it is the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from desktop_rag.retrieval.encode import Vectors
from desktop_rag.retrieval.stages import ByCollection, DenseIndex, best


class Near:
    """DenseIndex: for the question itself the passages found there, by collection; everything else as ever."""

    def __init__(self, dense: DenseIndex, found: Mapping[int, Sequence[int]], question: ByCollection) -> None:
        self._dense, self._found, self._question = dense, found, question

    def search(self, query: Vectors, collection: int, limit: int) -> Mapping[int, float]:
        """See DenseIndex. Another vector than the question's is nothing the server was asked for."""
        if collection in self._found and query is self._question.get(collection):
            scores = best(self._dense.scores(query, [collection], self._found[collection]), limit)
            if scores:
                return scores
        return self._dense.search(query, collection, limit)

    def scores(self, query: Vectors, collections: Sequence[int], chunks: Sequence[int]) -> Mapping[int, float]:
        """See DenseIndex."""
        return self._dense.scores(query, collections, chunks)
