"""The paired bootstrap: known cases, symmetry, and how often it cries wolf."""

from __future__ import annotations

import random

import numpy as np
import pytest

from desktop_rag.evaluation.bootstrap import ROUNDS, compared


def test_equal_rankings_differ_in_nothing() -> None:
    found = compared([0.5, 0.7, 0.1], [0.5, 0.7, 0.1])
    assert (found.difference, found.low, found.high, found.p) == (0, 0, 0, 1)
    assert not found.significant


def test_a_steady_gain_is_sure_and_p_is_never_zero() -> None:
    draw = random.Random(1)
    base = [draw.random() for _ in range(200)]
    found = compared([value + 0.1 + 0.01 * draw.random() for value in base], base)
    assert found.p == 1 / (1 + ROUNDS)
    assert 0.1 <= found.low < found.difference < found.high <= 0.11


def test_the_other_way_round_is_the_same_with_its_sign_turned() -> None:
    draw = random.Random(2)
    one, other = ([draw.random() for _ in range(80)] for _ in range(2))
    there, back = compared(one, other), compared(other, one)
    assert there.difference == -back.difference
    assert there.p == pytest.approx(back.p, abs=0.001)
    assert there == compared(one, other), "the same pairs must give the same figures"


def test_p_agrees_with_the_t_test_where_that_holds() -> None:
    from scipy.stats import ttest_rel  # type: ignore[import-untyped]

    draw = np.random.default_rng(3)
    base = draw.normal(size=300)
    for shift in (0.02, 0.1, 0.15):
        other = base + shift + draw.normal(size=300)
        assert compared(base, other).p == pytest.approx(ttest_rel(base, other).pvalue, abs=0.02)


def test_pure_chance_is_called_significant_about_one_time_in_twenty() -> None:
    draw = np.random.default_rng(4)
    called = sum(compared(draw.normal(size=60), draw.normal(size=60)).significant for _ in range(200))
    assert 2 <= called <= 22


def test_many_questions_are_drawn_in_parts() -> None:
    values = np.arange(3_000) % 2
    assert compared(values, np.zeros(3_000)).difference == 0.5


def test_without_pairs_and_with_unequal_ones_there_is_no_answer() -> None:
    with pytest.raises(ValueError, match="nothing"):
        compared([], [])
    with pytest.raises(ValueError, match="shape"):
        compared([1.0, 2.0], [1.0, 2.0, 3.0])
