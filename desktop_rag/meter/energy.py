"""Energy that the machine's own counters report: RAPL for processors, NVML for NVIDIA devices.

RAPL (Linux, /sys/class/powercap) counts microjoules of a whole processor package and wraps around;
many systems let only the administrator read it. What cannot be read is None, never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from desktop_rag.meter import gpu

POWERCAP = Path("/sys/class/powercap")
Readings = Mapping[str, float]


class EnergyMeter:
    """Energy between two points in time, of everything that counts it."""

    def __init__(self, powercap: Path = POWERCAP, gpu_joules: Callable[[], float | None] = gpu.energy_joules) -> None:
        self._powercap = powercap
        self._gpu_joules = gpu_joules
        self._started = self._read()

    def joules(self) -> float | None:
        """Energy since this meter was made, in joules; None where no counter can be read."""
        now = self._read()
        parts = [
            _advanced(before, now[name], self._range(name)) for name, before in self._started.items() if name in now
        ]
        return round(sum(parts), 3) if parts else None

    def _read(self) -> dict[str, float]:
        readings = {}
        # The packages only: their subzones (cores, memory controllers) are counted in them.
        for zone in sorted(self._powercap.glob("intel-rapl:[0-9]*")):
            value = _number(zone / "energy_uj")
            if zone.name.count(":") == 1 and value is not None:
                readings[zone.name] = value / 1e6
        device = self._gpu_joules()
        if device is not None:
            readings["gpu"] = device
        return readings

    def _range(self, name: str) -> float:
        return (_number(self._powercap / name / "max_energy_range_uj") or 0.0) / 1e6


def _advanced(before: float, now: float, wraps_at: float) -> float:
    """How far a counter went; one that stands lower than before went through its end once."""
    return now - before if now >= before else now - before + wraps_at


def _number(path: Path) -> float | None:
    try:
        return float(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
