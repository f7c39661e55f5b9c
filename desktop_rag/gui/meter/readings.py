"""What the processes take right now: asked in a task, because adding up the pages of a process takes a while."""

from __future__ import annotations

import os
from typing import Any

from desktop_rag.gui.backend import Backend, Event
from desktop_rag.meter import gpu, memory

NAMES = {
    "window": "Window",
    "library": "Library",
    "chat": "Language model",
    "models": "Models",
    "remote": "Remote model",
}


def process_ids(backend: Backend) -> dict[str, int]:
    """The running processes by role; this one is the window."""
    found: dict[str, int | None] = {
        "window": os.getpid(),
        "library": backend.library.pid,
        "chat": backend.chat.pid,
        "models": backend.models.pid,
    }
    if backend.answering is not backend.chat:
        found["remote"] = backend.answering.pid
    return {role: pid for role, pid in found.items() if pid is not None}


def read(pids: dict[str, int]) -> Event:
    """Memory in MiB by role {rss, uss, pss}, GPU memory by role where a device reports it, all in one event."""
    rows: dict[str, dict[str, Any]] = {}
    for role, pid in pids.items():
        taken = memory.process_memory(pid)
        if taken is not None:
            rows[role] = dict(taken)
    return {"processes": rows, "gpu": _gpu(pids)}


def _gpu(pids: dict[str, int]) -> dict[str, float]:
    """What each process holds on graphics cards; empty where there is none that tells."""
    devices = gpu.gpus() or []
    found = {role: [device.process_mb(pid) for device in devices] for role, pid in pids.items()}
    return {role: sum(share or 0.0 for share in shares) for role, shares in found.items() if any(shares)}
