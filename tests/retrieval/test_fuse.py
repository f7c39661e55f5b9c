"""Fusion: laws that hold whatever the rankings are, for every way of joining."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from desktop_rag.errors import UsageError
from desktop_rag.retrieval.fuse import METHODS, RRF_K, Fusion, best_first, convex, normalised, rrf, votes

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


COSINES = st.dictionaries(st.integers(0, 20), st.integers(-99, 99).map(lambda n: n / 100), max_size=12)
BM25 = st.dictionaries(st.integers(0, 20), st.integers(1, 9999).map(lambda n: n / 100), max_size=12)
FUSIONS = st.builds(Fusion, st.sampled_from(METHODS), st.none() | st.floats(0.05, 0.95))


@given(FUSIONS, COSINES, BM25)
def test_every_candidate_is_kept_and_scored_between_0_and_1(
    fusion: Fusion, d: dict[int, float], x: dict[int, float]
) -> None:
    result = fusion.join(d, x)
    assert result.keys() == d.keys() | x.keys()
    assert all(-1e-9 <= score <= 1 + 1e-9 for score in result.values())


@given(FUSIONS, COSINES)
def test_a_side_that_found_nothing_changes_no_order(fusion: Fusion, d: dict[int, float]) -> None:
    assert best_first(fusion.join(d, {})) == best_first(d)
    assume(all(score > 0 for score in d.values()))
    assert best_first(fusion.join({}, d)) == best_first(d)


@given(FUSIONS, COSINES, BM25)
def test_whoever_is_better_on_both_sides_is_not_worse(fusion: Fusion, d: dict[int, float], x: dict[int, float]) -> None:
    result, both = fusion.join(d, x), sorted(d.keys() & x.keys())
    better = [(a, b) for a in both for b in both if d[a] > d[b] and x[a] > x[b]]
    assert all(result[a] >= result[b] - 1e-12 for a, b in better)


@given(SCORES, st.integers(1, 50), st.integers(-50, 50))
def test_one_vote_is_shared_whatever_the_scale(scores: dict[int, float], scale: int, shift: int) -> None:
    moved = votes({key: value * scale + shift for key, value in scores.items()})
    assert moved == pytest.approx(votes(scores), abs=1e-9)
    assert sum(moved.values()) == pytest.approx(1 if scores else 0)


def test_who_stands_out_is_heard_over_who_sees_a_hundred_alike() -> None:
    clear = {1: 30.0} | {key: 10.0 + key / 100 for key in range(2, 40)}
    vague = {key: 0.50 + key / 1000 for key in range(1, 40)}
    assert best_first(Fusion("votes", 0.6).join(vague, clear))[0] == 1


def test_the_usual_way_stands_for_what_was_measured() -> None:
    """Other defaults need other figures: see the sets of `eval retrieval`."""
    assert Fusion() == Fusion("votes", None)
    d, x = {1: 0.9, 2: 0.1}, {1: 1.0, 2: 2.0}
    assert best_first(Fusion().join(d, x)) == [1, 2], "the meaning counts more"


def test_theoretical_minima_do_not_depend_on_the_worst_candidate() -> None:
    joined = Fusion("theoretical", 0.8).join({1: 1.0, 2: 0.5}, {1: 2.0, 2: 4.0})
    assert joined == pytest.approx({1: 0.8 + 0.2 * 0.5, 2: 0.8 * 1.5 / 2 + 0.2})


def test_reciprocal_ranks() -> None:
    joined = rrf([{1: 9.0, 2: 8.0}, {2: 0.2}])
    assert joined == pytest.approx({1: 1 / (RRF_K + 1), 2: 1 / (RRF_K + 2) + 1 / (RRF_K + 1)})


@pytest.mark.parametrize("written", ["votes", "minmax:0.7", "theoretical:1", "rrf:0"])
def test_a_way_is_read_as_it_is_written(written: str) -> None:
    fusion = Fusion.read(written)
    assert written in (fusion.method, f"{fusion.method}:{fusion.weight:g}" if fusion.weight is not None else "")


@pytest.mark.parametrize("written", ["", "magic", "votes:", "votes:1.1", "votes:-0", "votes:nan", "minmax:0.5:1"])
def test_what_is_no_way_is_refused(written: str) -> None:
    with pytest.raises(UsageError) as refused:
        Fusion.read(written)
    assert refused.value.code == "bad_request"
