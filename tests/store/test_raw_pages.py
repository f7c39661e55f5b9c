"""The database's pages as they lie on the disk: everything can be read with the key, and what was deleted cannot."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from desktop_rag.errors import StoreError
from desktop_rag.store.raw_pages import PAGE_BYTES, decrypted_pages
from tests.store.conftest import KEY, Open

if TYPE_CHECKING:
    from pathlib import Path


def raw(path: Path, key: bytes = KEY.raw) -> bytes:
    return b"".join(decrypted_pages(path, key))


def test_what_is_written_stands_in_the_log_and_then_in_the_file(connect: Open, path: Path) -> None:
    db = connect()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.execute("INSERT INTO settings VALUES ('note', 'the orangery is locked')")
    assert b"the orangery is locked" in raw(path)
    assert path.with_name("library.db-wal").stat().st_size > PAGE_BYTES
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"the orangery is locked" in raw(path)
    assert b"orangery" not in path.read_bytes()


def test_nothing_of_deleted_rows_stays_however_the_pages_were_split(connect: Open, path: Path) -> None:
    db, chance = connect(), random.Random(7)
    names = [f"n{chance.randrange(10**9):09d}" for _ in range(400)]
    for name in names:
        db.execute("INSERT INTO settings VALUES (?, ?)", (name, f"{name} says " + "x" * chance.randrange(9000)))
    gone, kept = names[:300], names[300:]
    for name in gone:
        db.execute("DELETE FROM settings WHERE name = ?", (name,))
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = raw(path)
    assert [name for name in kept if name.encode() not in content] == []
    assert [name for name in gone if name.encode() in content] == []


def test_without_overwriting_deleted_rows_stay(connect: Open, path: Path) -> None:
    db = connect()
    db.execute("PRAGMA secure_delete = OFF")
    db.execute("INSERT INTO settings VALUES ('note', 'the orangery is locked')")
    db.execute("DELETE FROM settings")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"orangery is locked" in raw(path)


def test_another_key_is_refused(connect: Open, path: Path) -> None:
    connect().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with pytest.raises(StoreError) as caught:
        raw(path, bytes(32))
    assert caught.value.code == "unreadable"
