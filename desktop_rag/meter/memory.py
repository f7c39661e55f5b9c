"""How much memory processes and mapped model files take, in MiB."""

from __future__ import annotations

import os
import re
from pathlib import Path

import psutil  # type: ignore[import-untyped]

KIB = 1024
# What a process's own counters are called: USS is what would be free again if it ended.
_UNIQUE = ("Private_Clean", "Private_Dirty")


def resident_mb(pid: int | None = None) -> float | None:
    """Resident memory of a process (this one by default); None when it is gone."""
    try:
        return round(float(psutil.Process(pid or os.getpid()).memory_info().rss) / 2**20, 1)
    except psutil.Error:
        return None


def process_memory(pid: int | None = None) -> dict[str, float | None] | None:
    """Memory of a process (this one by default): rss, uss, pss, anonymous, peak_rss; None when it is gone.

    USS is what only this process holds, PSS shares what is mapped by several, anonymous leaves mapped
    files (weights) out; what a system does not tell is None.
    """
    own = pid or os.getpid()
    rollup = _rollup(own)
    peak = _peak_mb(own)
    if rollup:
        return {
            "rss": _mib(rollup.get("Rss")),
            "uss": _mib(sum(rollup.get(name, 0) for name in _UNIQUE)),
            "pss": _mib(rollup.get("Pss")),
            "anonymous": _mib(rollup.get("Anonymous")),
            "peak_rss": peak,
        }
    try:
        full = psutil.Process(own).memory_full_info()
    except psutil.Error:
        return None
    uss, pss = getattr(full, "uss", None), getattr(full, "pss", None)
    if peak is None:
        # Windows keeps it here.
        peak = _mib_of_bytes(getattr(full, "peak_wset", None))
    return {
        "rss": _mib_of_bytes(full.rss),
        "uss": _mib_of_bytes(uss),
        "pss": _mib_of_bytes(pss),
        "anonymous": None,
        "peak_rss": peak,
    }


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


def _rollup(pid: int) -> dict[str, int]:
    """The sums of a process's mappings in KiB (Linux); empty elsewhere and for a process that is gone."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    return {name: int(size) for name, size in re.findall(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE)}


def _peak_mb(pid: int) -> float | None:
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found = re.search(r"^VmHWM:\s+(\d+) kB$", text, re.MULTILINE)
    return _mib(int(found.group(1))) if found else None


def _mib(kib: int | None) -> float | None:
    return None if kib is None else round(kib / KIB, 1)


def _mib_of_bytes(size: int | None) -> float | None:
    return None if size is None else round(size / 2**20, 1)
