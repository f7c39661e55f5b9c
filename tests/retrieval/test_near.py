"""What a server found takes the place of a collection's own search, and of nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from desktop_rag.retrieval.encode import Vectors
from desktop_rag.retrieval.near import Near

HELD = {1: {10: 0.9, 11: 0.5, 12: 0.1}, 2: {20: 0.7}}
QUESTION, OTHER = np.ones(3, dtype=np.float32), np.ones(3, dtype=np.float32)


class Held:
    """Vectors of two collections."""

    def search(self, query: Vectors, collection: int, limit: int) -> Mapping[int, float]:
        return HELD[collection]

    def scores(self, query: Vectors, collections: Sequence[int], chunks: Sequence[int]) -> Mapping[int, float]:
        held = {chunk: score for collection in collections for chunk, score in HELD[collection].items()}
        return {chunk: held[chunk] for chunk in chunks if chunk in held}


def near(found: Mapping[int, Sequence[int]]) -> Near:
    return Near(Held(), found, {1: QUESTION, 2: QUESTION})


def test_only_what_was_found_there_is_compared_best_first() -> None:
    found = near({1: [12, 10, 99]})
    assert list(found.search(QUESTION, 1, 5).items()) == [(10, 0.9), (12, 0.1)]
    assert found.search(QUESTION, 1, 1) == {10: 0.9}


def test_everything_else_is_searched_as_ever() -> None:
    found = near({1: [12]})
    assert found.search(QUESTION, 2, 5) == HELD[2], "a collection without a server"
    assert found.search(OTHER, 1, 5) == HELD[1], "a vector that the server was not asked for"
    assert near({1: [99]}).search(QUESTION, 1, 5) == HELD[1], "nothing of it is here any more"
    assert found.scores(QUESTION, [1, 2], [11, 20]) == {11: 0.5, 20: 0.7}
