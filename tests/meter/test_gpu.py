"""NVML's answers, and its refusals, through a library that plays them."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from desktop_rag.meter import gpu

MIB = 2**20


class NVMLError(Exception):
    pass


def library(*, refuses: bool = False, used: int | None = 512 * MIB) -> SimpleNamespace:
    def start() -> None:
        if refuses:
            raise NVMLError

    def energy(handle: int) -> int:
        if handle == 1:
            raise NVMLError
        return 7000

    return SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=start,
        nvmlShutdown=lambda: None,
        nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetHandleByIndex=lambda number: number,
        nvmlDeviceGetName=lambda handle: b"Card" if handle else "Card",
        nvmlDeviceGetMemoryInfo=lambda _: SimpleNamespace(total=8192 * MIB, free=4096 * MIB),
        nvmlDeviceGetComputeRunningProcesses=lambda handle: (
            [SimpleNamespace(pid=42, usedGpuMemory=used)] if handle == 0 else []
        ),
        nvmlDeviceGetTotalEnergyConsumption=energy,
    )


def test_memory_by_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", library())
    found = gpu.gpus()
    assert found is not None
    assert [(card.name, card.total_mb, card.free_mb) for card in found] == [("Card", 8192.0, 4096.0)] * 2
    assert gpu.process_gpu_mb(42) == 512.0
    assert gpu.process_gpu_mb(43) == 0.0


def test_a_driver_that_does_not_tell_processes_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", library(used=None))
    assert gpu.process_gpu_mb(42) is None


def test_a_card_that_counts_no_energy_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", library())
    assert gpu.energy_joules() == 7.0


def test_a_card_that_vanishes_costs_the_number_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> int:
        raise NVMLError

    vanished = library()
    vanished.nvmlDeviceGetHandleByIndex = vanished.nvmlShutdown = gone
    monkeypatch.setitem(sys.modules, "pynvml", vanished)
    assert gpu.gpus() is None
    assert gpu.energy_joules() is None


def test_without_a_driver_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", library(refuses=True))
    assert gpu.gpus() is None
    assert gpu.energy_joules() is None
    assert gpu.process_gpu_mb(42) is None


def test_without_the_library_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert gpu.gpus() is None
