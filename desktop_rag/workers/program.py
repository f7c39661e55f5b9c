"""This very application, from source or as one executable: how it starts its workers, and whether it is still there."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from desktop_rag.errors import EngineError

AS_ROOT = (
    "It runs as root: what it writes belongs to root, and a document that breaks into its reader has broken into the"
    " whole system. Start it as yourself."
)


def is_root() -> bool:
    """Whether the system's administrator started it."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def is_installed() -> bool:
    """Whether this is the installed application, not its source."""
    return bool(getattr(sys, "frozen", False))


def _identity() -> tuple[int, int, int] | None:
    """What tells one installed executable from the next; None where it is gone, and from source."""
    if not is_installed():
        return None
    try:
        facts = Path(sys.executable).stat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino, facts.st_mtime_ns


_STARTED = _identity()


def worker_command(role: str) -> list[str]:
    """How this very application starts a worker, from source or frozen into one executable."""
    if is_installed():
        return [sys.executable, "worker", role]
    return [sys.executable, "-m", "desktop_rag", "worker", role]


def check_unchanged() -> None:
    """Raises EngineError("start_failed") where the installed application was removed or replaced since it started.

    A worker of another version would speak another language, or know another library.
    """
    if _STARTED is None or (now := _identity()) == _STARTED:
        return
    if now is None:
        raise EngineError(
            "start_failed",
            "The application was removed while it was running.",
            "Your documents are still there; install it again to go on.",
        )
    raise EngineError(
        "start_failed", "The application was replaced while it was running.", "Close it, and open the new one."
    )
