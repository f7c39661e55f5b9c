"""How many cores a process would keep busy, also while others take them: its runnable threads are counted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PAUSE_SECONDS = 0.05


def runnable(pid: int) -> int:
    """The threads of a process that run now or wait for a core only; 0 where the system does not tell (not Linux)."""
    count = 0
    for path in Path(f"/proc/{pid}/task").glob("*/stat"):
        try:
            # The thread's name, in parentheses, may hold anything.
            count += path.read_bytes().rpartition(b") ")[2][:1] == b"R"
        except OSError:
            continue
    return count


def share(counts: list[int], cores: int) -> float | None:
    """The share of all cores that was wanted on average; None if nothing was ever seen to run."""
    return sum(min(count, cores) for count in counts) / (len(counts) * cores) if any(counts) else None


@contextmanager
def watching(pid: int) -> Iterator[list[int]]:
    """The counts of runnable threads, twenty a second while the block runs."""
    counts: list[int] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_PAUSE_SECONDS):
            counts.append(runnable(pid))

    thread = threading.Thread(target=watch, daemon=True, name="cores")
    thread.start()
    try:
        yield counts
    finally:
        ended.set()
        thread.join()
