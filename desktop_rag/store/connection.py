"""Opening the one encrypted database: key, pragmas, migrations, errors in words."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlcipher3 import dbapi2 as sqlite

from desktop_rag.errors import StoreError
from desktop_rag.store.key import Key, wrong_passphrase
from desktop_rag.store.migrations import MIGRATIONS
from desktop_rag.store.packed import PackedEntries, PackedPostings

Connection = Any
_MIGRATING_KIB = 200_000
_SIGN_SECONDS = 1.0
# Of the database, between two looks at the clock: some milliseconds.
_INSTRUCTIONS = 100_000
INCREMENTAL = 2
"""The way of `auto_vacuum` in which free pages can be cut off a few at a time."""


class OneAtATime(sqlite.Connection):  # type: ignore[misc, name-defined, unused-ignore]
    """A connection that searches in several threads may share: statements are prepared one after the other.

    sqlcipher3 (0.5.7) remembers prepared statements without regard to threads: one that two prepare at once is noted
    twice, and when it is forgotten for the second time every new statement raises KeyError, for good.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._turn = threading.RLock()

    def execute(self, *given: Any) -> Any:
        """See sqlite.Connection."""
        with self._turn:
            return super().execute(*given)

    def executemany(self, *given: Any) -> Any:
        """See sqlite.Connection."""
        with self._turn:
            return super().executemany(*given)


def open_database(path: Path, key: Key, sign: Callable[[], None] | None = None) -> Connection:
    """Open (or make) the database at `path` and bring its schema up to date.

    `sign` is called about once a second while an older one is brought up to date: a large one takes minutes.
    Raises StoreError: wrong_key, damaged, newer_schema, migration_failed, disk_full, read_only.
    """
    new = not path.exists()
    with translated():
        connection = sqlite.connect(str(path), isolation_level=None, check_same_thread=False, factory=OneAtATime)
        connection.row_factory = sqlite.Row
        connection.execute(f"PRAGMA key = \"x'{key.raw.hex()}'\"")
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite.DatabaseError as error:
            connection.close()
            if "not a database" in str(error):
                raise _refused(key) from error
            raise
        if new:
            # Before the first write: the files beside it (-wal, -shm) take over its permissions.
            path.chmod(0o600)
            # Before the first write too: later it would mean writing the whole file anew.
            connection.execute(f"PRAGMA auto_vacuum={INCREMENTAL}")
        for pragma in (
            "temp_store=MEMORY",
            "journal_mode=WAL",
            "foreign_keys=ON",
            "synchronous=FULL",
            "busy_timeout=2000",
            "secure_delete=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")
        with _signs(connection, sign):
            _migrate(connection, path)
    return connection


@contextmanager
def _signs(connection: Connection, sign: Callable[[], None] | None) -> Iterator[None]:
    """Call `sign` while the database works, from the first second on."""
    latest = time.monotonic()

    def works() -> int:
        nonlocal latest
        if sign is not None and time.monotonic() - latest > _SIGN_SECONDS:
            latest = time.monotonic()
            sign()
        return 0

    connection.set_progress_handler(works, _INSTRUCTIONS)
    yield
    # Where it failed the connection is closed.
    connection.set_progress_handler(None, 0)


def _refused(key: Key) -> StoreError:
    """Why a file is no database under a key."""
    if key.proven:
        return StoreError(
            "damaged", "The library's file is damaged: the key is right, but does not open it.", "Restore a backup."
        )
    if key.protection == "passphrase":
        return wrong_passphrase()
    return StoreError(
        "wrong_key", "The library cannot be opened with this key.", "Use the key or passphrase it was made with."
    )


def _migrate(connection: Connection, path: Path) -> None:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        connection.close()
        raise StoreError(
            "newer_schema", "This library was made by a newer version of the application.", "Update the application."
        )
    if 0 < version < len(MIGRATIONS):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy2(path, path.with_name(f"{path.name}.before-{len(MIGRATIONS)}"))
        # Whole tables are read in another order than they lie in.
        connection.execute(f"PRAGMA cache_size = -{_MIGRATING_KIB}")
    for name, made in (("packed_entries", PackedEntries), ("packed_postings", PackedPostings)):
        connection.create_aggregate(name, 2, made)
    _applied(connection, version)
    connection.execute("PRAGMA cache_size = -2000")


def _applied(connection: Connection, version: int) -> None:
    """Apply what came after a version, a script a transaction."""
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        try:
            with transaction(connection):
                for statement in script.split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")
        except sqlite.DatabaseError as error:
            connection.close()
            raise StoreError(
                "migration_failed",
                f"The library could not be brought to version {number}.",
                "A copy from before lies beside it.",
            ) from error


@contextmanager
def transaction(connection: Connection) -> Iterator[Connection]:
    """All or nothing; a failure is rolled back and told in words."""
    with translated():
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


@contextmanager
def translated() -> Iterator[None]:
    """Turn the database's own errors into StoreError at this edge."""
    try:
        yield
    except sqlite.OperationalError as error:
        text = str(error)
        if "full" in text:
            raise StoreError(
                "disk_full", "The disk is full.", "Free some space; nothing stored is lost.", retryable=True
            ) from error
        if "readonly" in text or "unable to open" in text:
            raise StoreError("read_only", "The data directory cannot be written.", "Check its permissions.") from error
        if "locked" in text:
            raise StoreError("locked", "The library is busy.", "Try again in a moment.", retryable=True) from error
        raise
