"""Reading candidates again: a better order when it works, the fused one when it does not, never fewer candidates."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.errors import ModelError
from desktop_rag.retrieval.encode import CTranslate2Encoder
from desktop_rag.retrieval.fuse import best_first
from desktop_rag.retrieval.rerank import MaxSim, Reranking, rerank

FUSED = st.dictionaries(st.integers(0, 50), st.integers(1, 1000).map(float), min_size=1, max_size=30)


class Judge:
    """Knows a score for each text, and gives up or dawdles after so many batches of one."""

    name = "the judge"

    def __init__(self, scores: Mapping[str, float], *, fails_after: int | None = None, seconds: float = 0.0) -> None:
        self._scores, self._fails_after, self._seconds = scores, fails_after, seconds

    def score(self, question: str, passages: Sequence[str]) -> Iterator[Sequence[float]]:
        for number, passage in enumerate(passages):
            if number == self._fails_after:
                raise ModelError("incompatible", "It is broken.")
            time.sleep(self._seconds)
            yield [self._scores.get(passage, 0.0)]


def texts(chunks: Sequence[int]) -> dict[int, str]:
    return {chunk: str(chunk) for chunk in chunks}


def how(judge: Judge, depth: int = 30, seconds: float = 60.0) -> Reranking:
    return Reranking(judge, texts, depth, seconds)


def test_what_the_judge_prefers_comes_first() -> None:
    result = rerank("q", {1: 0.35, 2: 0.34, 3: 0.31}, how(Judge({"3": 9.0})))
    assert list(result.final) == [3, 1, 2]
    assert result.scores == {1: 0.0, 2: 0.0, 3: 9.0}
    assert result.note == ""


@given(FUSED, st.dictionaries(st.integers(0, 50).map(str), st.floats(-5, 5)), st.integers(1, 40))
def test_nobody_is_lost_scores_fall_and_below_the_depth_nothing_moves(
    fused: dict[int, float], judged: dict[str, float], depth: int
) -> None:
    result = rerank("q", fused, how(Judge(judged), depth))
    assert result.final.keys() == fused.keys()
    assert list(result.final.values()) == sorted(fused.values(), reverse=True)
    assert list(result.final)[depth:] == best_first(fused)[depth:]
    assert result.scores.keys() == set(best_first(fused)[:depth])


@given(FUSED, st.floats(-5, 5))
def test_a_judge_to_whom_all_are_alike_changes_nothing(fused: dict[int, float], same: float) -> None:
    judge = Judge(dict.fromkeys(map(str, fused), same))
    assert list(rerank("q", fused, how(judge)).final) == best_first(fused)


@given(FUSED, st.integers(0, 30))
def test_a_judge_that_breaks_keeps_the_fused_order_and_is_named(fused: dict[int, float], after: int) -> None:
    result = rerank("q", fused, how(Judge({str(c): float(c) for c in fused}, fails_after=after)))
    if after < len(fused):
        assert list(result.final) == best_first(fused)
        assert result.final == fused
        assert "the judge failed" in result.note
        assert result.scores == {}
    else:
        assert result.note == ""


def test_a_bug_is_not_taken_for_a_failure() -> None:
    class Wrong(Judge):
        def score(self, question: str, passages: Sequence[str]) -> Iterator[Sequence[float]]:
            raise KeyError("bug")

    with pytest.raises(KeyError):
        rerank("q", {1: 1.0, 2: 0.5}, how(Wrong({})))


def test_what_is_not_read_in_time_keeps_its_place() -> None:
    fused = {chunk: 1.0 - chunk / 100 for chunk in range(1, 9)}
    # Of two that are read the second is the better one; then time is up.
    late = how(Judge({"2": 9.0}, seconds=0.03), seconds=0.04)
    result = rerank("q", fused, late)
    assert list(result.final)[2:] == [3, 4, 5, 6, 7, 8]
    assert "of 8 candidates were read again within 0.04 s" in result.note
    assert 0 < len(result.scores) < 8
    assert result.final.keys() == fused.keys()


def test_a_chunk_that_was_removed_meanwhile_keeps_its_place() -> None:
    judge = Judge({"3": 9.0})
    gone = Reranking(judge, lambda chunks: {c: str(c) for c in chunks if c != 2}, 30, 60.0)
    assert list(rerank("q", {1: 0.35, 2: 0.34, 3: 0.31}, gone).final) == [3, 2, 1]


@pytest.mark.slow
def test_the_real_encoder_finds_the_sentence_that_answers(minilm: CTranslate2Encoder) -> None:
    passages = [
        "The pump stands in the cellar and is painted green.",
        "The warranty of the pump ends after two years.",
        "",
        "Bicycles belong in the yard.",
    ]
    batches = MaxSim(minilm).score("How long is the guarantee of the pump?", passages)
    scores = [score for batch in batches for score in batch]
    assert len(scores) == 4
    assert max(range(4), key=lambda n: scores[n]) == 1
    assert scores[2] == 0
    assert all(-1 <= score <= 1.0001 for score in scores)
