"""Writing a file so that a crash leaves either the old or the new one, readable by its owner only."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from desktop_rag.errors import StoreError
from desktop_rag.paths import private_dir

_FULL = (errno.ENOSPC, errno.EDQUOT)


def write_private(path: Path, content: bytes) -> None:
    """Replace `path` by `content` (0600): temporary file, fsync, rename. Raises StoreError disk_full or read_only."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        private_dir(path.parent)
        try:
            _write(temporary, content)
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise unwritable(error, path.parent) from error


def unwritable(error: OSError, folder: Path) -> StoreError:
    """What a person is told when a folder of the application's own cannot be written."""
    if error.errno in _FULL:
        return StoreError("disk_full", "The disk is full.", "Free some space; nothing stored is lost.", retryable=True)
    return StoreError(
        "read_only", f"The folder {folder} cannot be written: {error.strerror}.", "Check its permissions."
    )


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
