"""Fusion: a weighted mean of normalised scores, whatever the rankings are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.retrieval.fuse import convex, normalised

SCORES = st.dictionaries(st.integers(0, 20), st.integers(-1000, 1000).map(float), max_size=12)
WEIGHTS = st.floats(0, 1)


@given(SCORES)
def test_normalised_scores_keep_the_order_and_span_0_to_1(scores: dict[int, float]) -> None:
    result = normalised(scores)
    assert result.keys() == scores.keys()
    if scores:
        assert max(result.values()) == 1
        assert min(result.values()) == (0 if len(set(scores.values())) > 1 else 1)
        assert all((result[a] < result[b]) == (scores[a] < scores[b]) for a in scores for b in scores)


@given(SCORES, st.integers(1, 50), st.integers(-50, 50))
def test_scale_and_shift_of_a_ranking_do_not_matter(scores: dict[int, float], scale: int, shift: int) -> None:
    moved = {key: value * scale + shift for key, value in scores.items()}
    assert normalised(moved) == pytest.approx(normalised(scores))


@given(SCORES, SCORES, WEIGHTS)
def test_every_id_is_kept_and_scores_stay_between_0_and_1(d: dict[int, float], x: dict[int, float], w: float) -> None:
    result = convex(d, x, w)
    assert result.keys() == d.keys() | x.keys()
    assert all(-1e-9 <= score <= 1 + 1e-9 for score in result.values())


@given(SCORES, SCORES)
def test_the_ends_of_the_weight_are_the_single_rankings(d: dict[int, float], x: dict[int, float]) -> None:
    assert {k: v for k, v in convex(d, x, 1.0).items() if k in d} == pytest.approx(normalised(d))
    assert {k: v for k, v in convex(d, x, 0.0).items() if k in x} == pytest.approx(normalised(x))


@given(SCORES, SCORES, WEIGHTS)
def test_turning_the_rankings_round_turns_the_weight_round(d: dict[int, float], x: dict[int, float], w: float) -> None:
    assert convex(d, x, w) == pytest.approx(convex(x, d, 1 - w))


@given(SCORES, st.floats(0.01, 1))
def test_an_empty_ranking_changes_no_order(d: dict[int, float], w: float) -> None:
    result = convex(d, {}, w)
    assert all((result[a] < result[b]) == (normalised(d)[a] < normalised(d)[b]) for a in d for b in d)


@given(SCORES, SCORES, st.floats(0.01, 0.99))
def test_what_is_better_in_both_is_better(d: dict[int, float], x: dict[int, float], w: float) -> None:
    result, both = convex(d, x, w), sorted(d.keys() & x.keys())
    assert all(result[a] >= result[b] - 1e-9 for a in both for b in both if d[a] >= d[b] and x[a] >= x[b])
