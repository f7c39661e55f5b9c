"""How much memory processes and mapped model files take, in MiB."""

from __future__ import annotations

import os
from pathlib import Path

import psutil  # type: ignore[import-untyped]


def resident_mb(pid: int | None = None) -> float | None:
    """Resident memory of a process (this one by default); None when it is gone."""
    try:
        return round(float(psutil.Process(pid or os.getpid()).memory_info().rss) / 2**20, 1)
    except psutil.Error:
        return None


def mapped_mb(path: Path) -> float | None:
    """How much of a memory-mapped file is resident in this process; None where the system does not say."""
    total = 0
    inside = False
    try:
        with Path("/proc/self/smaps").open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line[0] in "0123456789abcdef" and "-" in line.split(" ", 1)[0]:
                    inside = line.rstrip().endswith(str(path))
                elif inside and line.startswith("Rss:"):
                    total += int(line.split()[1])
    except OSError:
        return None
    return round(total / 1024, 1)
