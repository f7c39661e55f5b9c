"""Memory and energy of NVIDIA devices through NVML; None where there is no such device or library."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import ModuleType
from typing import Any

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Gpu:
    """One device: memory in MiB; `by_process` maps process ids to what each holds (None where it is not told)."""

    name: str
    total_mb: float
    free_mb: float
    by_process: dict[int, float | None]

    def process_mb(self, pid: int) -> float | None:
        """What one process holds on this device: 0 when it is not listed, None when the driver does not tell."""
        return self.by_process.get(pid, 0.0)


def gpus() -> list[Gpu] | None:
    """Every device with its memory by process; None without NVML."""
    with _nvml() as nvml:
        if nvml is None:
            return None
        try:
            return [_gpu(nvml, handle) for handle in _handles(nvml)]
        except nvml.NVMLError:
            return None


def process_gpu_mb(pid: int) -> float | None:
    """What one process holds on all devices together, in MiB; None without NVML or where the driver does not tell."""
    devices = gpus()
    if not devices:
        return None
    shares = [device.process_mb(pid) for device in devices]
    return None if None in shares else round(sum(share or 0.0 for share in shares), 1)


def energy_joules() -> float | None:
    """Energy all devices have taken since the driver was loaded, in joules; None where none of them counts it."""
    with _nvml() as nvml:
        if nvml is None:
            return None
        joules: list[float] = []
        try:
            handles = _handles(nvml)
        except nvml.NVMLError:
            # A card that vanished while an answer was written costs the number, not the answer.
            return None
        for handle in handles:
            try:
                joules.append(nvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1000)
            except nvml.NVMLError:
                continue
        return sum(joules) if joules else None


@contextmanager
def _nvml() -> Iterator[ModuleType | None]:
    try:
        import pynvml  # type: ignore[import-untyped]
    except ImportError:
        yield None
        return
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        yield None
        return
    try:
        yield pynvml
    finally:
        with suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()


def _handles(nvml: Any) -> list[Any]:
    return [nvml.nvmlDeviceGetHandleByIndex(number) for number in range(nvml.nvmlDeviceGetCount())]


def _gpu(nvml: Any, handle: Any) -> Gpu:
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    by_process: dict[int, float | None] = {}
    for process in nvml.nvmlDeviceGetComputeRunningProcesses(handle):
        used = process.usedGpuMemory
        by_process[int(process.pid)] = None if used is None else round(used / MIB, 1)
    name = nvml.nvmlDeviceGetName(handle)
    return Gpu(
        name.decode() if isinstance(name, bytes) else str(name),
        round(memory.total / MIB, 1),
        round(memory.free / MIB, 1),
        by_process,
    )
