"""Counters of energy: they wrap around, and many cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.meter import gpu
from desktop_rag.meter.energy import EnergyMeter, _advanced


def zone(root: Path, name: str, microjoules: int, wraps_at: int = 10**12) -> Path:
    folder = root / name
    folder.mkdir(exist_ok=True)
    (folder / "energy_uj").write_text(f"{microjoules}\n")
    (folder / "max_energy_range_uj").write_text(f"{wraps_at}\n")
    return folder


def test_packages_are_summed_and_their_parts_are_not(tmp_path: Path) -> None:
    for name in ("intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0"):
        zone(tmp_path, name, 1_000_000)
    meter = EnergyMeter(tmp_path, lambda: None)
    for name in ("intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0"):
        zone(tmp_path, name, 3_500_000)
    assert meter.joules() == 5.0


def test_a_counter_that_wrapped(tmp_path: Path) -> None:
    zone(tmp_path, "intel-rapl:0", 9_000_000, wraps_at=10_000_000)
    meter = EnergyMeter(tmp_path, lambda: None)
    zone(tmp_path, "intel-rapl:0", 500_000, wraps_at=10_000_000)
    assert meter.joules() == 1.5


def test_a_device_counts_as_well(tmp_path: Path) -> None:
    readings = iter([100.0, 142.0])
    assert EnergyMeter(tmp_path, lambda: next(readings)).joules() == 42.0


def test_nothing_to_read_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "intel-rapl:0").mkdir()
    assert EnergyMeter(tmp_path, lambda: None).joules() is None
    assert EnergyMeter(tmp_path / "none", lambda: None).joules() is None


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_energy_never_runs_backwards(before: float, used: float) -> None:
    wraps_at = 1e6 + 1
    now = (before + used) % wraps_at
    assert _advanced(before, now, wraps_at) == pytest.approx(used, abs=1e-6)


def test_a_gpu_is_told_or_none() -> None:
    found = gpu.gpus()
    if found is None:
        assert gpu.process_gpu_mb(1) is None
    else:
        assert all(0 <= device.free_mb <= device.total_mb for device in found)
