"""Whether the files of Chroma's graphs are as this application left them.

Chroma's native code reads them unchecked: one that was cut off ends the process or takes all memory, one of zeros gives
wrong neighbours. So their sizes and times are noted beside them after every change, and files that differ are not
opened. What Chroma keeps in its own database is not noted: that notices by itself, and changes all the time.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from desktop_rag.errors import StoreError
from desktop_rag.store.files import write_private

_NOTE = "files.json"
_DATABASE = "chroma.sqlite3"


class GraphFiles:
    """The files in the folders inside `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._noted: dict[str, Any] | None = None

    def intact(self) -> bool:
        """Whether they are what was noted last, by the same version of Chroma; an empty folder is intact."""
        try:
            if not any(self._folder.iterdir()):
                return True
            noted = json.loads((self._folder / _NOTE).read_text(encoding="utf-8"))
            return bool((self._folder / _DATABASE).stat().st_size and noted == self._now())
        except FileNotFoundError:
            return not self._folder.exists()
        except (OSError, ValueError):
            return False

    def note(self) -> None:
        """Note what changed. Files that cannot be noted are made anew at the next start."""
        with suppress(OSError, StoreError):
            now = self._now()
            if now == self._noted:
                return
            # The note must not reach the disk before what it tells of.
            for name, held in now["files"].items():
                if self._noted is None or self._noted["files"].get(name) != held:
                    _settle(self._folder / name)
            write_private(self._folder / _NOTE, json.dumps(now).encode())
            self._noted = now

    def forget(self) -> None:
        """They are being thrown away."""
        self._noted = None

    def _now(self) -> dict[str, Any]:
        found = {
            str(path.relative_to(self._folder)): [path.stat().st_size, path.stat().st_mtime_ns]
            for path in sorted(self._folder.glob("*/*"))
        }
        return {"chroma": metadata.version("chromadb"), "files": found}


def _settle(path: Path) -> None:
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
