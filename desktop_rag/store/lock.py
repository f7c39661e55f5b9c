"""One owner per data directory: an operating-system lock that a dead process cannot keep."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import IO

from desktop_rag.errors import StoreError
from desktop_rag.store.files import unwritable

# With a process's own start this stays within a second.
_PATIENCE_SECONDS = 0.25


def acquire(data_dir: Path) -> IO[str]:
    """Hold the lock until the returned file is closed or the process ends.

    Raises StoreError("locked") that names the holder, or "read_only". A holder that is just leaving is given a moment.
    """
    try:
        handle = (data_dir / "lock").open("a+", encoding="utf-8")
        Path(handle.name).chmod(0o600)
    except OSError as error:
        raise unwritable(error, data_dir) from error
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not _try_lock(handle):
        if time.monotonic() > deadline:
            holder = _holder(handle)
            handle.close()
            raise StoreError(
                "locked",
                f"This library is open in another window or terminal{holder}.",
                "Close it there, or choose another data directory.",
                retryable=True,
            )
        time.sleep(0.05)
    handle.seek(0)
    handle.truncate()
    json.dump({"pid": os.getpid()}, handle)
    handle.flush()
    return handle


def _try_lock(handle: IO[str]) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _holder(handle: IO[str]) -> str:
    handle.seek(0)
    try:
        return f" (process {json.load(handle)['pid']})"
    except (ValueError, KeyError, TypeError, OSError):
        return ""
