"""The measurement itself: real kernels on touched memory, and what is left without ggml."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from desktop_rag.meter import bandwidth
from desktop_rag.meter.kernels import ROW, TYPES, Kernels


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes for a test: the numbers mean little then, the way to them is the same."""
    monkeypatch.setattr(bandwidth, "SIZES", (4, 8))
    monkeypatch.setattr(bandwidth, "RATE_MB", 4)
    monkeypatch.setattr(bandwidth, "COMPUTE_MB", 1)
    monkeypatch.setattr(bandwidth, "COMPUTE_BATCH", 8)


def test_the_best_kernel_is_the_limit() -> None:
    machine = bandwidth.measure(0.2)
    large = [speed for name, speed in machine.kernels.items() if name.endswith("8 MiB")]
    assert machine.read_gbs == pytest.approx(max(large), abs=0.01)
    assert machine.kernel in "".join(machine.kernels)
    assert set(machine.rates) == set(TYPES)
    assert machine.flops > 1e8
    assert machine.cores >= 1
    assert (machine.flag is not None) == machine.disturbed


def test_what_other_programs_used_is_told() -> None:
    assert bandwidth._others((0.0, 100.0, 10.0), (2.0, 104.0, 11.0)) == 1.5
    assert bandwidth._others((0.0, 100.0, 10.0), (2.0, 101.0, 11.0)) == 0.0


def test_a_smaller_working_set_is_never_slower() -> None:
    machine = bandwidth.measure(0.2)
    assert [size for size, _ in machine.by_size] == [4 << 20, 8 << 20]
    assert all(small >= large for (_, small), (_, large) in itertools.pairwise(machine.by_size))
    assert machine.gbs_for(8 << 20) == machine.read_gbs


def test_it_goes_in_steps() -> None:
    *steps, machine = bandwidth.steps(0.1)
    assert len(steps) > 10
    assert all(step is None for step in steps)
    assert machine is not None


def test_without_ggml_numpy_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bandwidth, "_kernels", lambda: None)
    machine = bandwidth.measure(0.1)
    assert machine.read_gbs > 0.1
    assert machine.rates == {}
    assert not [name for name in machine.kernels if "ggml" in name]


@pytest.mark.parametrize("kind", list(TYPES))
def test_a_kernel_multiplies_what_it_was_given(kind: str) -> None:
    """The product of ones with proper weights is finite and the same for every row: all of them were read."""
    kernels = Kernels()
    try:
        with kernels.weights(kind, 1) as weights:
            product = weights.product()
    finally:
        kernels.close()
    assert np.isfinite(product).all()
    assert abs(product[0]) > 1e-3
    assert np.allclose(product, product[0], rtol=1e-3)
    if kind in ("F32", "F16"):
        assert product[0] == pytest.approx(ROW * 0.01, rel=1e-3)


def test_passes_read_what_they_say() -> None:
    kernels = Kernels()
    try:
        with kernels.weights("F32", 64) as weights:
            seconds, whole = weights.best_seconds(1, 0.01)
            _, part = weights.best_seconds(1, 0.01, 16 << 20)
    finally:
        kernels.close()
    assert whole == 64 << 20
    assert part == 16 << 20
    assert math.isfinite(seconds)
    assert seconds > 0
