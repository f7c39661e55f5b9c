"""Writing a file so that a crash leaves either the old or the new one, readable by its owner only."""

from __future__ import annotations

import os
from pathlib import Path

from desktop_rag.paths import private_dir


def write_private(path: Path, content: bytes) -> None:
    """Replace `path` by `content` (0600): temporary file, fsync, rename."""
    private_dir(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, content)
        os.fsync(handle)
    finally:
        os.close(handle)
    temporary.replace(path)
