"""The few statistics that measurements need. Pure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from statistics import fmean, median, stdev

_SAMPLES = 2000


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean. Raises ValueError without values."""
    if not values:
        raise ValueError("there is nothing to average")
    return fmean(values)


def spread(values: Sequence[float]) -> float:
    """The sample standard deviation (n - 1); 0 for a single value."""
    return stdev(values) if len(values) > 1 else 0.0


def mean_of_known(values: Sequence[float | None]) -> float | None:
    """The mean of the values that are known; None where none is."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def median_interval(values: Sequence[float], *, level: float = 0.95, seed: int = 0) -> tuple[float, float]:
    """A percentile bootstrap interval of the median. Raises ValueError without values."""
    if not values:
        raise ValueError("there is nothing to draw from")
    draw = random.Random(seed)
    medians = sorted(median(draw.choices(values, k=len(values))) for _ in range(_SAMPLES))
    tail = (1 - level) / 2
    return medians[int(tail * _SAMPLES)], medians[min(_SAMPLES - 1, int((1 - tail) * _SAMPLES))]
