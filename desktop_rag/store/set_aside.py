"""A library that nobody can unlock any more makes room for a new one: it is moved beside it as it is, never deleted."""

from __future__ import annotations

from pathlib import Path

from desktop_rag.errors import StoreError
from desktop_rag.paths import private_dir
from desktop_rag.store import key_record
from desktop_rag.store.files import unwritable

# What only this library can use. The record comes last: as long as it is there, a kill leaves something to go on with.
_PARTS = ("library.db-wal", "library.db-shm", "library.db.before-*", "chroma", "kv", "library.db", key_record.NAME)


def set_aside(data_dir: Path) -> Path:
    """Move the library of a data directory into a folder beside it; models, settings and logs stay.

    The folder is a data directory of its own: the key, should it turn up, opens it there. Called again after a kill it
    goes on where it was. Raises StoreError("read_only") where the folder cannot be made.
    """
    aside = data_dir.with_name(f"{data_dir.name}-locked-{_name(data_dir / key_record.NAME)}")
    private_dir(aside)
    try:
        for part in _PARTS:
            for path in data_dir.glob(part):
                path.rename(aside / path.name)
    except OSError as error:
        raise unwritable(error, aside) from error
    return aside


def _name(record: Path) -> str:
    """The same for the same library."""
    try:
        return key_record.read(record).place.identity
    except StoreError:
        return "unknown"
