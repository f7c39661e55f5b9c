"""Ten thousand files in a library within seconds, for measuring what comes later.

The library's own check of the folder lists, hashes and enters the files; where it would begin to read and encode
them it is ended, and they are marked as ready. They have no text, no passages and no vectors, which a check of the
folder never looks at. Nothing is forced onto the disk on the way.
"""

from __future__ import annotations

from pathlib import Path

from desktop_rag.store.connection import transaction
from desktop_rag.workers import folders
from desktop_rag.workers.library import Library


def enter(data_dir: Path, folder: Path) -> int:
    """Watch a folder in a data directory that no process holds; returns the number of files entered."""
    library = Library(data_dir)
    try:
        library.db.execute("PRAGMA synchronous=OFF")
        watched = folders.watch(library, folder, None)
        for event in folders.sync(library, [watched]):
            if event is not None and event["event"] == "progress":
                break
        with transaction(library.db):
            return int(library.db.execute("UPDATE documents SET state = 'ready', encoded = 1").rowcount)
    finally:
        library.close()
