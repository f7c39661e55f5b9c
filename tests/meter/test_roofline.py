"""The share of the machine's limit: published measurements, and the law that the limit is 1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.meter.roofline import at_size, fraction, limit_tps, reached_gbs

positive = st.floats(1e-3, 1e6)
LLAMA_2_7B = 6_738_415_616


@pytest.mark.parametrize(
    ("tok_s", "bits", "gbs", "percent"),
    [(46.42, 16, 768, 81), (44.82, 16, 768, 79), (62.57, 8, 768, 55), (117.1, 4.5, 768, 58), (77.04, 4.5, 768, 38)],
)
def test_published_runs_of_llama_2_7b(tok_s: float, bits: float, gbs: float, percent: int) -> None:
    assert fraction(tok_s, LLAMA_2_7B * bits / 8, 0, 0, gbs) * 100 == pytest.approx(percent, abs=0.6)


@given(st.floats(1, 1e12), st.floats(0, 1e6), st.floats(0, 1e5), st.floats(1, 5000))
def test_the_limit_itself_is_one(read: float, kv: float, context: float, gbs: float) -> None:
    limit = limit_tps(read, kv, context, gbs)
    assert fraction(limit, read, kv, context, gbs) == pytest.approx(1)
    assert reached_gbs(limit, read, kv, context) == pytest.approx(gbs)


@given(st.floats(1, 1e12), st.floats(1, 1e6), st.floats(0, 1e5), st.floats(1, 1e5))
def test_a_longer_context_lowers_the_limit(read: float, kv: float, context: float, more: float) -> None:
    assert limit_tps(read, kv, context + more, 30) < limit_tps(read, kv, context, 30)


points = st.lists(st.tuples(st.integers(1, 1 << 40), positive), min_size=1, unique_by=lambda point: point[0])


@given(points, st.integers(1, 1 << 41))
def test_between_sizes_the_bandwidth_lies_between_its_neighbours(measured: list[tuple[int, float]], size: int) -> None:
    found = at_size(measured, size)
    speeds = [speed for _, speed in measured]
    assert min(speeds) * (1 - 1e-9) <= found <= max(speeds) * (1 + 1e-9)
    for at, speed in measured:
        assert at_size(measured, at) == pytest.approx(speed)


def test_outside_the_sizes_the_nearest_holds() -> None:
    measured = [(64, 50.0), (256, 30.0)]
    assert at_size(measured, 1) == 50
    assert at_size(measured, 1 << 40) == 30
    assert at_size(measured, 128) == pytest.approx(40)
