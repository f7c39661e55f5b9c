"""One question, the best passages: stages are joined, and none of them can empty the answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pytest

from desktop_rag.errors import UsageError
from desktop_rag.retrieval.encode import Vectors
from desktop_rag.retrieval.modes import MODES, PLANNED_MODES, check_mode
from desktop_rag.retrieval.search import Ranking, search

VECTOR = np.ones(3, dtype=np.float32)


class Words:
    def __init__(self, scores: dict[int, float]) -> None:
        self._scores = scores

    def add(self, chunk: int, text: str) -> int:
        raise NotImplementedError

    def remove(self, chunks: Sequence[int]) -> None:
        raise NotImplementedError

    def search(self, query: str, collections: Sequence[int]) -> dict[int, float]:
        return self._scores

    def count(self) -> int:
        return len(self._scores)

    def missing(self, words: Iterable[str], collections: Sequence[int]) -> set[str]:
        return set()


class Meaning:
    def __init__(self, by_collection: dict[int, dict[int, float]]) -> None:
        self._scores = by_collection

    def search(self, query: Vectors, collection: int, limit: int) -> Mapping[int, float]:
        return self._scores.get(collection, {})


def ranked(words: dict[int, float], meaning: dict[int, float], mode: str, limit: int = 10) -> Ranking:
    vector = None if mode == "bm25" else VECTOR
    return search("q", vector, [1], lexical=Words(words), dense=Meaning({1: meaning}), mode=mode, limit=limit)


def test_each_mode_uses_its_own_stages() -> None:
    words, meaning = {1: 5.0, 2: 1.0}, {2: 0.9, 3: 0.1}
    assert ranked(words, meaning, "bm25").order == [1, 2]
    assert ranked(words, meaning, "dense").order == [2, 3]
    assert ranked(words, meaning, "hybrid").order == [2, 1, 3]


def test_scores_of_every_stage_stand_beside_the_hit() -> None:
    result = ranked({1: 5.0, 2: 1.0}, {2: 0.9, 3: 0.1}, "hybrid")
    assert result.scores[1].keys() == {"bm25", "hybrid"}
    assert result.scores[2].keys() == {"bm25", "dense", "hybrid"}
    assert result.timings_ms.keys() == {"bm25", "dense"}


@pytest.mark.parametrize(
    ("words", "meaning"), [({}, {3: 0.4, 4: 0.2}), ({3: 2.0, 4: 1.0}, {}), ({3: 2.0, 4: 1.0}, {3: 0.4})]
)
def test_an_empty_stage_empties_nothing(words: dict[int, float], meaning: dict[int, float]) -> None:
    assert ranked(words, meaning, "hybrid").order == [3, 4]


def test_equal_scores_have_a_stable_order_and_the_limit_holds() -> None:
    assert ranked(dict.fromkeys((9, 4, 7, 1), 1.0), {}, "bm25", limit=3).order == [1, 4, 7]


def test_several_collections_are_one_ranking() -> None:
    result = search(
        "q", VECTOR, [1, 2], lexical=Words({}), dense=Meaning({1: {1: 0.2}, 2: {2: 0.8}}), mode="dense", limit=5
    )
    assert result.order == [2, 1]


def test_a_passage_that_stands_in_several_documents_takes_one_place() -> None:
    said = {1: "a", 2: "b", 3: "a", 4: "a", 5: "c", 6: "d"}
    looked: list[list[int]] = []

    def likeness(chunks: Sequence[int]) -> dict[int, str]:
        looked.append(list(chunks))
        return {chunk: said[chunk] for chunk in chunks}

    result = search(
        "q",
        None,
        [1],
        lexical=Words({chunk: 10.0 - chunk for chunk in said}),
        dense=Meaning({}),
        mode="bm25",
        limit=3,
        likeness=likeness,
    )
    assert result.order == [1, 2, 5], "the best one stays, and the next different ones fill the places"
    assert result.also == {1: [3, 4]}
    assert result.scores.keys() == {1, 2, 5}
    assert looked == [[1, 2, 3], [4, 5, 6]]


def test_what_nobody_compares_is_not_folded() -> None:
    assert ranked({1: 2.0, 2: 1.0}, {}, "bm25").also == {}


def test_modes_that_do_not_exist_are_refused() -> None:
    for mode in MODES:
        check_mode(mode)
    for mode, code in [*((m, "not_available") for m in PLANNED_MODES), ("magic", "bad_request")]:
        with pytest.raises(UsageError) as raised:
            check_mode(mode)
        assert raised.value.code == code
