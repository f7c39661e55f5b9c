"""One question, the best passages: stages are joined, and none of them can empty the answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.errors import StoreError, UsageError
from desktop_rag.retrieval.encode import Vectors
from desktop_rag.retrieval.modes import MODES, check_mode
from desktop_rag.retrieval.rerank import Reranking
from desktop_rag.retrieval.search import Ranking, search
from desktop_rag.retrieval.stages import Deep, best
from desktop_rag.retrieval.trace import trace

VECTOR = np.ones(3, dtype=np.float32)


class Words:
    """Finds the same in every collection; given an error, raises it."""

    def __init__(self, scores: dict[int, float] | Exception) -> None:
        self._error = scores if isinstance(scores, Exception) else None
        self._scores = {} if isinstance(scores, Exception) else scores

    def add(self, chunk: int, text: str) -> int:
        raise NotImplementedError

    def remove(self, chunks: Sequence[int]) -> int:
        raise NotImplementedError

    def search(self, query: str, collections: Sequence[int]) -> dict[int, float]:
        if self._error is not None:
            raise self._error
        return dict(self._scores)

    def count(self) -> int:
        return len(self._scores)

    def missing(self, words: Iterable[str], collections: Sequence[int]) -> set[str]:
        return set()

    def analyses(self, text: str, collections: Sequence[int]) -> list[list[str]]:
        raise NotImplementedError


class Meaning:
    """Finds what each collection holds, at most `found` of them; given an error, raises it."""

    def __init__(
        self, by_collection: dict[int, dict[int, float]], found: int = 1000, error: Exception | None = None
    ) -> None:
        self._scores, self._found, self._error = by_collection, found, error

    def search(self, query: Vectors, collection: int, limit: int) -> Mapping[int, float]:
        if self._error is not None:
            raise self._error
        held = self._scores.get(collection, {})
        return {chunk: held[chunk] for chunk in sorted(held, key=lambda c: -held[c])[: self._found]}

    def scores(self, query: Vectors, collections: Sequence[int], chunks: Sequence[int]) -> Mapping[int, float]:
        return {c: s for each in collections for c, s in self._scores.get(each, {}).items() if c in chunks}


def ranked(words: dict[int, float], meaning: dict[int, float], mode: str, limit: int = 10) -> Ranking:
    vectors = {} if mode == "bm25" else {1: VECTOR}
    return search("q", vectors, [1], lexical=Words(words), dense=Meaning({1: meaning}), mode=mode, limit=limit)


def test_each_mode_uses_its_own_stages() -> None:
    words, meaning = {1: 5.0, 2: 1.0}, {2: 0.9, 3: 0.1}
    assert ranked(words, meaning, "bm25").order == [1, 2]
    assert ranked(words, meaning, "dense").order == [2, 3]
    assert ranked(words, meaning, "hybrid").order == [2, 1, 3]


def test_scores_of_every_stage_stand_beside_the_hit() -> None:
    result = ranked({1: 5.0, 2: 1.0}, {2: 0.9, 3: 0.1}, "hybrid")
    assert result.scores[1].keys() == {"bm25", "hybrid"}
    assert result.scores[2].keys() == {"bm25", "dense", "hybrid"}
    assert result.timings_ms.keys() == {"bm25", "dense", "join"}


@pytest.mark.parametrize(
    ("words", "meaning"), [({}, {3: 0.4, 4: 0.2}), ({3: 2.0, 4: 1.0}, {}), ({3: 2.0, 4: 1.0}, {3: 0.4})]
)
def test_an_empty_stage_empties_nothing(words: dict[int, float], meaning: dict[int, float]) -> None:
    assert ranked(words, meaning, "hybrid").order == [3, 4]


def test_equal_scores_have_a_stable_order_and_the_limit_holds() -> None:
    assert ranked(dict.fromkeys((9, 4, 7, 1), 1.0), {}, "bm25", limit=3).order == [1, 4, 7]


def test_several_collections_are_one_ranking() -> None:
    result = search(
        "q",
        {1: VECTOR, 2: VECTOR},
        [1, 2],
        lexical=Words({}),
        dense=Meaning({1: {1: 0.2}, 2: {2: 0.8}}),
        mode="dense",
        limit=5,
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
        {},
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
    with pytest.raises(UsageError) as raised:
        check_mode("magic")
    assert raised.value.code == "bad_request"


def test_what_only_the_words_found_is_compared_by_meaning_too() -> None:
    cosines = {1: 0.9, 2: 0.8, 3: 0.85}
    result = search(
        "q", {1: VECTOR}, [1], lexical=Words({2: 5.0, 3: 5.0}), dense=Meaning({1: cosines}, found=1), mode="hybrid"
    )
    assert result.scores[3]["dense"] == 0.85
    assert result.order.index(3) < result.order.index(2), "the words see them alike, the meaning does not"


@pytest.mark.parametrize("mode", ["hybrid", "rerank"])
def test_a_side_that_fails_leaves_the_answer_to_the_other_and_says_so(mode: str) -> None:
    error = StoreError("corrupt", "It cannot be read.")
    by_words = search("q", {1: VECTOR}, [1], lexical=Words({3: 1.0}), dense=Meaning({}, error=error), mode=mode)
    assert (by_words.order, by_words.notes) == ([3], ["The search by meaning failed and was left out."])
    by_meaning = search("q", {1: VECTOR}, [1], lexical=Words(error), dense=Meaning({1: {4: 0.1}}), mode=mode)
    assert (by_meaning.order, by_meaning.notes) == ([4], ["The search by words failed and was left out."])


def test_what_fails_with_nothing_beside_it_is_raised() -> None:
    error = StoreError("corrupt", "It cannot be read.")
    for mode in ("dense", "hybrid"):
        with pytest.raises(StoreError):
            search("q", {1: VECTOR}, [1], lexical=Words({}), dense=Meaning({}, error=error), mode=mode)


def test_cosines_of_two_encoders_are_levelled() -> None:
    """One encoder's cosines all lie above the other's: that says nothing of its passages."""
    meaning = Meaning({1: {1: 0.70, 2: 0.10}, 2: {3: 0.86, 4: 0.84}})
    found = search("q", {1: VECTOR, 2: VECTOR.copy()}, [1, 2], lexical=Words({}), dense=meaning, mode="dense")
    assert set(found.order[:2]) == {1, 3}
    same = search("q", {1: VECTOR, 2: VECTOR}, [1, 2], lexical=Words({}), dense=meaning, mode="dense")
    assert same.order == [3, 4, 1, 2]


class Judge:
    name = "the judge"

    def score(self, question: str, passages: Sequence[str]) -> Iterator[Sequence[float]]:
        yield [9.0 if passage == "3" else 0.0 for passage in passages]


def judged() -> Reranking:
    return Reranking(Judge(), lambda chunks: {chunk: str(chunk) for chunk in chunks})


def test_reading_again_changes_the_order_and_its_scores_stand_beside() -> None:
    words, meaning = Words({1: 3.0, 2: 2.9, 3: 2.8}), Meaning({1: {1: 0.5, 2: 0.49, 3: 0.48}})
    without = search("q", {1: VECTOR}, [1], lexical=words, dense=meaning, mode="rerank")
    result = search("q", {1: VECTOR}, [1], lexical=words, dense=meaning, mode="rerank", reranking=judged())
    assert (without.order[2], result.order[0]) == (3, 1)
    assert result.order[1] == 3, "one voice of three lifts it, but not over what two agree on"
    assert result.scores[3]["rerank"] == 9.0
    assert list(result.final) == result.order
    assert [result.final[chunk] for chunk in result.order] == sorted(result.final.values(), reverse=True)


def test_a_deep_search_with_a_dead_member_answers_and_names_it() -> None:
    found = search(
        "q",
        {1: VECTOR, 2: VECTOR},
        [1, 2],
        lexical=Words(RuntimeError("killed")),
        dense=Meaning({1: {1: 0.5}, 2: {2: 0.4}}),
        mode="deep",
        deep=Deep(names={1: "One", 2: "Two"}, seconds=60),
    )
    assert found.order == [1, 2]
    states = {member["name"]: member["state"] for member in found.members}
    assert states == {
        "words": "failed",
        "meaning": "answered",
        "collection “One”": "failed",
        "collection “Two”": "failed",
    }
    assert found.notes[0] == "“words” failed and was left out."


def test_a_deep_search_takes_the_other_words_into_account() -> None:
    other = np.array([0, 1, 0], dtype=np.float32)

    class Turning(Meaning):
        """By the first vector the one chunk is near, by the other the other; between them the third."""

        def search(self, query: Vectors, collection: int, limit: int) -> Mapping[int, float]:
            return {2: 0.9} if np.array_equal(query, other) else {1: 0.9}

        def scores(self, query: Vectors, collections: Sequence[int], chunks: Sequence[int]) -> Mapping[int, float]:
            return {chunk: 0.2 * chunk for chunk in chunks}

    found = search(
        "q", {1: VECTOR}, [1], lexical=Words({}), dense=Turning({}), mode="deep", deep=Deep(lambda: {1: other}, {}, 60)
    )
    assert found.order == [2, 1]
    assert [member["name"] for member in found.members] == ["words", "meaning", "the question in other words"]


def test_a_trace_tells_every_candidates_way() -> None:
    words, meaning = Words({1: 3.0, 2: 2.9, 5: 0.1}), Meaning({1: {1: 0.5, 2: 0.49, 3: 0.48}})
    said = {1: "a", 2: "a", 3: "b", 5: "c"}
    result = search(
        "q",
        {1: VECTOR},
        [1],
        lexical=words,
        dense=meaning,
        mode="rerank",
        limit=2,
        likeness=lambda chunks: {chunk: said[chunk] for chunk in chunks},
        reranking=judged(),
    )
    told = trace(result)
    assert [row["stage"] for row in told["stages"]] == ["bm25", "dense", "hybrid", "rerank"]
    rows = {row["chunk"]: row for row in told["rows"]}
    assert {chunk: row["state"] for chunk, row in rows.items()} == {1: "hit", 2: "same", 3: "hit", 5: "below"}
    assert rows[3]["places"]["rerank"] == 1
    assert "bm25" not in rows[3]["places"], "the words did not find it"
    assert rows[1]["places"]["bm25"] == 1
    assert [row["chunk"] for row in told["rows"]] == list(result.final)


@given(st.dictionaries(st.integers(0, 300), st.integers(0, 5).map(float)), st.integers(1, 40))
def test_the_best_are_the_best(scores: dict[int, float], limit: int) -> None:
    assert list(best(scores, limit)) == sorted(scores, key=lambda c: (-scores[c], c))[:limit]
