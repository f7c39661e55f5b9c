"""A copy of the whole library in one file, behind a passphrase of its own, and the way back from it.

The file is an ordinary ZIP archive that holds nothing readable: `library.db`, encrypted as it always is, `store.json`
with its key behind the backup's passphrase, and `backup.json` with what it is checked by. Whoever unpacks it into an
empty folder has a data directory. The documents themselves, the models and the settings are not in it.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

from sqlcipher3 import dbapi2 as sqlite

import desktop_rag
from desktop_rag.errors import DesktopRagError, StoreError, UsageError
from desktop_rag.store import key_record
from desktop_rag.store.connection import translated
from desktop_rag.store.files import unwritable
from desktop_rag.store.key import RESTORED, Key, is_taken
from desktop_rag.store.key_record import Place, Record, check_of
from desktop_rag.store.migrations import MIGRATIONS
from desktop_rag.store.passphrase import unwrap, wrap

Step = Callable[[str, int], None]
"""Told what is done ("copying", "checking", "packing", "unpacking") and how much in percent; may raise to stop."""

_DATABASE, _FACTS = "library.db", "backup.json"
_FORMAT = 1
_PAGES = 500  # of 4 KiB at a time: writing goes on beside, and a stop is heard soon
_BLOCK = 1 << 20
_SMALL = 1 << 16


def write_backup(data_dir: Path, key: Key, target: Path, passphrase: bytes, step: Step) -> dict[str, Any]:
    """Write and verify a backup of the library as it is now, in the place of `target`: {file, bytes}.

    Others may go on writing to the library. Raises StoreError, and what `step` raises: then `target` is as before.
    """
    copy, packed = (target.with_name(f".{target.name}.{ending}") for ending in ("copy", "part"))
    with _tidied(target.parent, copy, packed):
        _copy(data_dir / _DATABASE, key, copy, step)
        _examine(copy, key, step)
        record = Record(Place("passphrase", "backup"), check_of(key.raw), wrap(key.raw, passphrase))
        _pack(packed, copy, record, step)
        _verify(packed, key, passphrase, step)
        packed.replace(target)
    return {"file": str(target), "bytes": target.stat().st_size}


def restore_backup(data_dir: Path, file: Path, passphrase: bytes, step: Step) -> None:
    """Put the library of a backup into a data directory that has none; it opens with the backup's passphrase then.

    Nothing is in its place before all of it has been verified. Raises UsageError where there is a library already,
    StoreError("damaged") where the file is no whole backup, "wrong_key" for another passphrase.
    """
    if is_taken(data_dir):
        raise UsageError(
            "bad_request",
            "There is a library here already; a backup is never restored over one.",
            "Name an empty folder: desktop-rag --data-dir DIR key restore FILE",
        )
    unpacked = data_dir / f".{_DATABASE}.restored"
    with _tidied(data_dir, unpacked), _opened(file) as archive:
        record = key_record.parse(archive.read(key_record.NAME))
        key = _key_of(record, passphrase)
        facts = _facts(archive)
        with archive.open(_DATABASE) as packed, _private(unpacked) as whole:
            if _hash(packed, facts["bytes"], "unpacking", step, whole) != facts["sha256"]:
                raise _not_whole()
        _examine(unpacked, key, step)
        # From the second line on the next start finishes what a kill has left: see `load_key`.
        key_record.write(data_dir / RESTORED, record)
        unpacked.replace(data_dir / _DATABASE)
        (data_dir / RESTORED).replace(data_dir / key_record.NAME)


def _copy(database: Path, key: Key, copy: Path, step: Step) -> None:
    """Copy one moment of the database, encrypted page by page with the same key."""

    def told(_status: int, left: int, pages: int) -> None:
        step("copying", 100 * (pages - left) // max(1, pages))

    copy.unlink(missing_ok=True)
    _private(copy).close()
    with translated(), closing(_connect(database, key)) as source, closing(_connect(copy, key)) as target:
        # One moment: what is committed from here on is not seen, and does not begin the copy anew.
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(target, pages=_PAGES, progress=told, sleep=0)
        # A file of its own, with nothing beside it.
        target.execute("PRAGMA journal_mode = DELETE")


def _examine(database: Path, key: Key, step: Step) -> None:
    """Raises StoreError("damaged") unless every page of a copy is whole, "newer_schema" where it is not for us."""
    step("checking", 0)
    try:
        with closing(_connect(database, key)) as copy:
            version = copy.execute("PRAGMA user_version").fetchone()[0]
            if copy.execute("PRAGMA cipher_integrity_check").fetchall():
                raise _not_whole()
            if [tuple(row) for row in copy.execute("PRAGMA quick_check")] != [("ok",)]:
                raise _not_whole()
    except sqlite.DatabaseError as error:
        raise _not_whole() from error
    if version > len(MIGRATIONS):
        raise _newer()
    step("checking", 100)


def _pack(packed: Path, copy: Path, record: Record, step: Step) -> None:
    size = copy.stat().st_size
    with _private(packed) as file, zipfile.ZipFile(file, "w") as archive:
        with copy.open("rb") as source, archive.open(_DATABASE, "w", force_zip64=True) as target:
            digest = _hash(source, size, "packing", step, target)
        facts = {
            "format": _FORMAT,
            "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "version": desktop_rag.__version__,
            "bytes": size,
            "sha256": digest,
        }
        archive.writestr(key_record.NAME, key_record.dump(record))
        archive.writestr(_FACTS, json.dumps(facts, indent=1))
        archive.close()
        file.flush()
        os.fsync(file.fileno())


def _verify(packed: Path, key: Key, passphrase: bytes, step: Step) -> None:
    """Read the file again as somebody would who has nothing but it and the passphrase."""
    with _opened(packed) as archive:
        facts = _facts(archive)
        record = key_record.parse(archive.read(key_record.NAME))
        with archive.open(_DATABASE) as database:
            same = _hash(database, facts["bytes"], "checking", step) == facts["sha256"]
        if not same or _key_of(record, passphrase).raw != key.raw:
            raise _not_whole()


def _facts(archive: zipfile.ZipFile) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(archive.read(_FACTS))
    if facts["format"] != _FORMAT:
        raise _newer()
    return facts


def _key_of(record: Record, passphrase: bytes) -> Key:
    raw = unwrap(record.wrapped, passphrase) if record.wrapped is not None else None
    if raw is None:
        raise StoreError("wrong_key", "This is not the backup's passphrase.", "It may differ from the library's own.")
    return Key(raw, "passphrase", proven=True)


def _hash(source: IO[bytes], size: int, what: str, step: Step, target: IO[bytes] | None = None) -> str:
    """The SHA-256 of what `source` holds, which goes to `target` on the way."""
    digest, done = hashlib.sha256(), 0
    while block := source.read(_BLOCK):
        digest.update(block)
        if target is not None:
            target.write(block)
        done += len(block)
        step(what, 100 * done // max(1, size))
    return digest.hexdigest()


def _connect(database: Path, key: Key) -> Any:
    connection = sqlite.connect(str(database), isolation_level=None)
    connection.execute(f"PRAGMA key = \"x'{key.raw.hex()}'\"")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def _private(path: Path) -> IO[bytes]:
    path.touch(mode=0o600)
    return path.open("wb")


@contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    """A backup to read. Raises StoreError("damaged") for anything that is none."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = (_DATABASE, key_record.NAME, _FACTS)
            if any(archive.getinfo(name).file_size > _SMALL for name in names[1:]):
                raise _not_whole()
            yield archive
    except DesktopRagError:
        raise
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, EOFError, NotImplementedError) as error:
        raise _not_whole() from error
    except FileNotFoundError as error:
        raise UsageError("bad_request", "There is no such file.", "Check its path.") from error


@contextmanager
def _tidied(folder: Path, *temporary: Path) -> Iterator[None]:
    """Leave none of these files behind, and tell a full disk in words."""
    try:
        yield
    except OSError as error:
        raise unwritable(error, folder) from error
    finally:
        for path in temporary:
            path.unlink(missing_ok=True)
            for beside in ("-wal", "-shm", "-journal"):
                path.with_name(path.name + beside).unlink(missing_ok=True)


def _not_whole() -> StoreError:
    return StoreError("damaged", "This file is no whole backup of a library.", "Use another copy of it.")


def _newer() -> StoreError:
    return StoreError(
        "newer_schema", "This backup was made by a newer version of the application.", "Update the application."
    )
