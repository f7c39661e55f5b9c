"""Temporary folders: each says which process made it, so that one left behind by a process that was ended is known."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from desktop_rag.paths import APP

# A process's start is known to hundredths of a second only.
_LEEWAY_SECONDS = 1.0


@contextmanager
def scratch(purpose: str) -> Iterator[Path]:
    """A folder of this process alone that is gone afterwards; those that ended processes left go as well."""
    clear_abandoned()
    with tempfile.TemporaryDirectory(prefix=_prefix(purpose), ignore_cleanup_errors=True) as name:
        yield Path(name)


def kept_scratch(purpose: str) -> Path:
    """Such a folder for who removes it without a `with`."""
    return Path(tempfile.mkdtemp(prefix=_prefix(purpose)))


def abandoned() -> list[Path]:
    """This user's temporary folders of the application whose process has ended."""
    return [folder for folder in _place().glob(f"{APP}-*") if _is_ours(folder) and not _in_use(folder)]


def clear_abandoned() -> None:
    """Remove what `abandoned` names."""
    for folder in abandoned():
        shutil.rmtree(folder, ignore_errors=True)


def _prefix(purpose: str) -> str:
    return f"{APP}-{purpose}-{os.getpid()}-"


def _place() -> Path:
    return Path(tempfile.gettempdir())


def _is_ours(folder: Path) -> bool:
    """Not a folder that somebody else on this machine made, and no link."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    own = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    return own and folder.is_dir() and not folder.is_symlink()


def _in_use(folder: Path) -> bool:
    """Whether the process in its name still runs; one that began after the folder was made has only the same number."""
    number = folder.name.split("-")[-2]
    try:
        return bool(psutil.Process(int(number)).create_time() <= folder.stat().st_ctime + _LEEWAY_SECONDS)
    except (ValueError, OSError, psutil.Error):
        return False
