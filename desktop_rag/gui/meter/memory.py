"""Resident memory of the application's processes, by process id."""

from __future__ import annotations

import os
from collections.abc import Iterable

import psutil

_MB = 1024 * 1024


def resident_mb(pids: Iterable[int | None]) -> float:
    """MB held by this process and the given ones; a process that is gone counts nothing.

    Proportional shares where the system tells them cheaply are not used: polling must cost nothing.
    """
    total = 0
    for pid in {os.getpid(), *pids}:
        if pid is None:
            continue
        try:
            total += psutil.Process(pid).memory_info().rss
        except psutil.Error:
            continue
    return total / _MB
