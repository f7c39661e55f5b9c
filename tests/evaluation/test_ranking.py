"""Figures of rankings: published examples, and equality with pytrec_eval on whatever rankings there can be."""

from __future__ import annotations

import math

import pytest
import pytrec_eval  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.evaluation.ranking import FIGURES, averaged, by_question, figures, ndcg, ordered

_TREC = {
    "ndcg@10": "ndcg_cut_10",
    "map": "map",
    "recall@10": "recall_10",
    "recall@100": "recall_100",
    "success@1": "success_1",
}
# Ties, also those that single precision makes, and the limits of what it holds.
_SCORES = st.sampled_from([0.0, -1.0, 1.0, 0.1, 0.1 + 1e-12, 3e38, 1e-45]) | st.floats(-1e6, 1e6)
_IDS = st.text("abé9_ #", min_size=1, max_size=3)
_RUNS = st.dictionaries(_IDS, _SCORES, min_size=1, max_size=120)
_JUDGED = st.dictionaries(_IDS, st.integers(-1, 3), min_size=1, max_size=20)


def test_hits_at_one_three_and_five_of_three_relevant() -> None:
    found = figures(["a", "x", "b", "y", "c"], {"a": 1, "b": 1, "c": 1})
    assert found["map"] == pytest.approx(0.755556, abs=1e-6)
    assert found["ndcg@10"] == pytest.approx(0.885460, abs=1e-6)
    assert (found["mrr@10"], found["recall@10"], found["success@1"]) == (1, 1, 1)


def test_graded_judgements_gain_in_a_straight_line() -> None:
    assert ndcg([3, 2, 3, 0, 1], [3, 2, 3, 0, 1], 5) == pytest.approx(6.1486 / 6.3233, abs=1e-4)


def test_ties_are_broken_by_the_id_backwards_and_scores_are_compared_in_single_precision() -> None:
    assert ordered({"a": 1.0, "c": 1.0, "b": 1.0 + 1e-12, "d": 2.0}) == ["d", "c", "b", "a"]


def test_the_first_relevant_document_beyond_ten_counts_for_nothing_in_mrr() -> None:
    found = figures([*"abcdefghij", "right"], {"right": 1})
    assert (found["mrr@10"], found["recall@10"], found["recall@100"]) == (0, 0, 1)
    assert found["map"] == pytest.approx(1 / 11)


def test_a_question_without_an_answer_counts_as_nothing_found() -> None:
    rows = by_question({"q1": {"a": 1.0}}, {"q1": {"a": 1}, "q2": {"b": 1}})
    assert averaged(rows.values())["ndcg@10"] == 0.5
    assert set(rows["q2"].values()) == {0.0}


@given(_RUNS, _JUDGED)
def test_figures_equal_those_of_pytrec_eval(run: dict[str, float], judged: dict[str, int]) -> None:
    ours = figures(ordered(run), judged)
    measures = {"ndcg_cut.10", "map", "recall.10,100", "success.1", "recip_rank"}
    theirs = pytrec_eval.RelevanceEvaluator({"q": judged}, measures).evaluate({"q": run})["q"]
    for name, trec in _TREC.items():
        assert ours[name] == pytest.approx(theirs[trec], abs=1e-9), name
    first = theirs["recip_rank"] if theirs["recip_rank"] >= 0.1 - 1e-9 else 0.0
    assert ours["mrr@10"] == pytest.approx(first, abs=1e-9)
    assert set(ours) == set(FIGURES)
    assert all(math.isfinite(value) and 0 <= value <= 1 + 1e-9 for value in ours.values())
