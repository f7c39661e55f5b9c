from __future__ import annotations

from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.evaluation.figures import mean, mean_of_known, median_interval, spread

VALUES = st.lists(st.floats(0.01, 1000), min_size=1, max_size=12)


@given(VALUES)
def test_the_interval_holds_the_median_and_stays_inside_the_values(values: list[float]) -> None:
    low, high = median_interval(values)
    assert min(values) <= low <= median(values) <= high <= max(values)


@given(VALUES)
def test_an_interval_is_the_same_every_time(values: list[float]) -> None:
    assert median_interval(values) == median_interval(values)


def test_the_spread_is_that_of_a_sample() -> None:
    assert spread([2.0, 4.0]) == pytest.approx(2**0.5)
    assert spread([3.0]) == 0.0


def test_nothing_has_no_mean() -> None:
    with pytest.raises(ValueError, match="nothing"):
        mean([])
    with pytest.raises(ValueError, match="nothing"):
        median_interval([])


def test_unknown_values_are_left_out_of_a_mean() -> None:
    assert mean_of_known([None, 2.0, 4.0]) == 3.0
    assert mean_of_known([None]) is None
