"""One file that holds an exported collection behind a passphrase, and the way into it.

A ZIP archive with nothing readable in it: `collection.db`, encrypted with a key of its own, and `export.json` with that
key behind the passphrase and what the file is checked by before anything is decrypted.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from desktop_rag.errors import DesktopRagError, StoreError, UsageError
from desktop_rag.store.connection import Connection, translated
from desktop_rag.store.export_rows import FORMAT, connect, create, disagrees, newer, verified
from desktop_rag.store.files import unwritable
from desktop_rag.store.passphrase import sound, unwrap, wrap

_DATABASE, _FACTS = "collection.db", "export.json"
_KIND = "desktop-rag collection"
_SMALL = 1 << 16
_KEY_BYTES = 32


def write_export(target: Path, passphrase: bytes, fill: Callable[[Connection], object]) -> dict[str, Any]:
    """Make the file `target` of what `fill` writes into empty tables, and read it again as others will.

    Returns {file, bytes, uuid} and by table how many rows it has.
    Raises StoreError, and what `fill` raises: then `target` is as before.
    """
    database, packed = (target.with_name(f".{target.name}.{ending}") for ending in ("db", "part"))
    raw = secrets.token_bytes(_KEY_BYTES)
    with _tidied(target.parent, database, packed):
        _private(database)
        with translated(), closing(connect(database, raw)) as connection:
            connection.execute("BEGIN")
            create(connection)
            fill(connection)
            connection.execute("COMMIT")
        _private(packed)
        _pack(database, packed, wrap(raw, passphrase))
        with opened(packed, passphrase, target.parent) as (_, manifest):
            packed.replace(target)
    return {"file": str(target), "bytes": target.stat().st_size, "uuid": manifest["uuid"], **manifest["counts"]}


@contextmanager
def opened(file: Path, passphrase: bytes, folder: Path) -> Iterator[tuple[Connection, dict[str, Any]]]:
    """The database of an export and its manifest, all of it verified; unpacked, still encrypted, into `folder`.

    Raises UsageError where there is no such file, StoreError("damaged") for anything but a whole export, "wrong_key"
    for another passphrase, "newer_schema".
    """
    unpacked = folder / f".{secrets.token_hex(8)}.import"
    with _tidied(folder, unpacked):
        raw = _unpack(file, passphrase, unpacked)
        with closing(connect(unpacked, raw)) as connection:
            connection.execute("PRAGMA query_only = ON")
            yield connection, verified(connection)


def _pack(database: Path, packed: Path, wrapped: dict[str, Any]) -> None:
    with database.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").hexdigest()
    facts = {"kind": _KIND, "format": FORMAT, "bytes": database.stat().st_size, "sha256": digest, "key": wrapped}
    with packed.open("wb") as file, zipfile.ZipFile(file, "w") as archive:
        archive.write(database, _DATABASE)
        archive.writestr(_FACTS, json.dumps(facts, indent=1))
        archive.close()
        file.flush()
        os.fsync(file.fileno())


def _unpack(file: Path, passphrase: bytes, unpacked: Path) -> bytes:
    """Write the database, still encrypted, to `unpacked`; returns its key."""
    with _archive(file) as archive:
        facts = _facts(archive)
        raw = unwrap(facts["key"], passphrase)
        if raw is None:
            raise StoreError("wrong_key", "This is not the export's passphrase.", "Ask whoever made the export.")
        _private(unpacked)
        with archive.open(_DATABASE) as source, unpacked.open("r+b") as target:
            shutil.copyfileobj(source, target, 1 << 20)
            target.seek(0)
            if hashlib.file_digest(target, "sha256").hexdigest() != facts["sha256"]:
                raise disagrees()
    return raw


def _facts(archive: zipfile.ZipFile) -> dict[str, Any]:
    """What the file says of itself. Raises StoreError for what it cannot be."""
    if _FACTS not in archive.namelist() or archive.getinfo(_FACTS).file_size > _SMALL:
        raise _no_export()
    facts = json.loads(archive.read(_FACTS))
    if not isinstance(facts, dict) or facts.get("kind") != _KIND:
        raise _no_export()
    if type(facts.get("format")) is int and facts["format"] > FORMAT:
        raise newer()
    held = archive.getinfo(_DATABASE)
    stored = held.compress_type == zipfile.ZIP_STORED and held.file_size == held.compress_size == facts.get("bytes")
    if not (stored and sound(facts.get("key"))):
        raise disagrees()
    return facts


@contextmanager
def _archive(file: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with file.open("rb") as start:
            begins = start.read(4) == b"PK\x03\x04"
    except OSError as error:
        raise UsageError("bad_request", f"The file cannot be read: {error.strerror}.", "Check its path.") from error
    if not begins:
        raise _no_export()
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except DesktopRagError:
        raise
    except zipfile.BadZipFile as error:
        raise StoreError(
            "damaged", "This file is not whole: its end is missing, or it is damaged.", "Copy it once more."
        ) from error
    except (KeyError, TypeError, ValueError, EOFError, NotImplementedError) as error:
        raise disagrees() from error


def _no_export() -> StoreError:
    return StoreError("damaged", "This file is no exported collection.", "A backup is restored with: key restore")


def _private(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)


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
            path.with_name(path.name + "-journal").unlink(missing_ok=True)
