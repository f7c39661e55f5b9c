"""What is remembered of a machine, and a limit that a real run beats."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.meter import machine as machines
from desktop_rag.meter.machine import Machine, from_json, raised, remember, remembered

MIB = 2**20
MACHINE = Machine(
    read_gbs=30.0,
    kernel="ggml F32 mat-vec, 2 threads",
    flops=1e11,
    cores=2,
    cpu="test",
    kernels={"copy": 20.0},
    by_size=((64 * MIB, 50.0), (512 * MIB, 30.0)),
    rates={"Q4_0": 44.0, "Q4_1": 17.0, "Q4_K": 46.0},
)


def test_a_machine_comes_back_from_disk(tmp_path: Path) -> None:
    assert remembered(tmp_path) is None
    remember(tmp_path, MACHINE)
    assert remembered(tmp_path) == MACHINE
    assert [path.name for path in tmp_path.iterdir()] == [machines.FILE]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"key": 1}', "\ud800".encode("utf-16", "surrogatepass")])
def test_a_damaged_file_is_no_machine(tmp_path: Path, content: str | bytes) -> None:
    (tmp_path / machines.FILE).write_bytes(content.encode() if isinstance(content, str) else content)
    assert remembered(tmp_path) is None


def test_another_machine_is_measured_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remember(tmp_path, MACHINE)
    monkeypatch.setattr(machines, "cpu_name", lambda: "another processor")
    assert remembered(tmp_path) is None


def test_an_older_version_is_measured_anew() -> None:
    row = json.loads(json.dumps(MACHINE.to_json()))
    assert from_json(row) == MACHINE
    assert from_json({**row, "version": 1}) is None
    assert from_json({**row, "by_size": [["a"]]}) is None
    assert from_json({"version": machines.VERSION}) is None


def test_a_run_below_the_limit_changes_nothing() -> None:
    assert raised(MACHINE, 29.9, 512 * MIB) is MACHINE


def test_a_run_above_the_limit_raises_it_with_a_flag() -> None:
    better = raised(MACHINE, 40.0, 700 * MIB)
    assert better.gbs_for(700 * MIB) == 40.0
    assert better.read_gbs == 40.0
    assert better.flag is not None
    assert "40.0" in better.flag
    assert "30.0" in better.flag
    assert MACHINE.flag is None


def test_a_hair_above_is_noise_of_the_clock() -> None:
    better = raised(MACHINE, 31.0, 512 * MIB)
    assert better.gbs_for(512 * MIB) == 31.0
    assert better.flag is None


def test_a_small_model_says_nothing_about_memory() -> None:
    better = raised(MACHINE, 60.0, 64 * MIB)
    assert better.gbs_for(64 * MIB) == 60.0
    assert better.read_gbs == 30.0


@given(st.floats(1, 500), st.integers(1, 1 << 31), st.integers(1, 1 << 31))
def test_no_run_stays_above_the_limit(gbs: float, size: int, other: int) -> None:
    better = raised(MACHINE, gbs, size)
    assert better.gbs_for(size) >= gbs
    assert better.gbs_for(other) >= MACHINE.gbs_for(other) * (1 - 1e-9)


def test_unpacking_can_be_slower_than_reading() -> None:
    assert MACHINE.rate_for("Q4_1", 512 * MIB) == 17.0
    assert MACHINE.rate_for("Q4_0", 512 * MIB) == 30.0
    assert MACHINE.rate_for("Q4_K_M", 64 * MIB) == 46.0
    assert MACHINE.rate_for("a new type", 64 * MIB) == 50.0


def test_a_mixture_takes_the_time_of_its_parts() -> None:
    # 17 GB at 17 GB/s and 30 GB at 30 GB/s: two seconds for 47 GB.
    assert MACHINE.rate_for({"Q4_1": 17, "Q4_0": 30}, 512 * MIB) == pytest.approx(47 / 2)
