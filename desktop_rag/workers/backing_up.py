"""Backup and restoring beside everything else: the copying runs in a thread, the operation tells how far it is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from desktop_rag.errors import Cancelled
from desktop_rag.store.backup import Step, restore_backup, write_backup
from desktop_rag.store.lock import acquire
from desktop_rag.workers.library import Library
from desktop_rag.workers.loop import Operation

# Short: other operations wait for it.
_LOOK_SECONDS = 0.02


def backup(library: Library, target: Path, passphrase: bytes) -> Operation:
    """Write a backup; yields {"event": "progress", "step", "share"}, returns {file, bytes}."""
    return beside(lambda step: write_backup(library.data_dir, library.key, target, passphrase, step))


def restore(data_dir: Path, file: Path, passphrase: bytes) -> Operation:
    """Restore a backup, holding the data directory meanwhile; yields as `backup` does."""

    def work(step: Step) -> dict[str, Any]:
        with acquire(data_dir):
            restore_backup(data_dir, file, passphrase, step)
        return {"data": str(data_dir)}

    return beside(work)


def beside(work: Callable[[Step], dict[str, Any]]) -> Operation:
    """Do some work in a thread; closing the operation stops it at its next step."""
    stopped, told = threading.Event(), [("", 0)]

    def step(what: str, share: int) -> None:
        if stopped.is_set():
            raise Cancelled
        told[0] = (what, share)

    shown = told[0]
    with ThreadPoolExecutor(1, "backup") as pool:
        future = pool.submit(work, step)
        try:
            while not future.done():
                wait([future], _LOOK_SECONDS)
                if shown != told[0]:
                    shown = told[0]
                    yield {"event": "progress", "step": shown[0], "share": shown[1]}
                else:
                    yield None
        finally:
            stopped.set()
    return future.result()
