"""The encrypted database: keys, migrations, a full disk, a folder that cannot be written."""

from __future__ import annotations

import os
import stat
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from sqlcipher3 import dbapi2 as sqlite

from desktop_rag.errors import StoreError
from desktop_rag.store import connection as connecting
from desktop_rag.store.collections import Collections
from desktop_rag.store.connection import open_database, transaction, translated
from desktop_rag.store.key import Key
from desktop_rag.store.migrations import MIGRATIONS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.store.conftest import Open

PLANTED = "Jean-Rivera-planted-sentinel"


def code_of(call: Any) -> str:
    with pytest.raises(StoreError) as caught:
        call()
    assert caught.value.message.endswith(".")
    assert caught.value.hint
    return caught.value.code


def names(db: Any) -> list[str]:
    return [row["name"] for row in Collections(db).all()]


def test_a_new_database_has_the_whole_schema(db: Any) -> None:
    assert db.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
    assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert db.execute("PRAGMA foreign_keys").fetchone()[0] == 1
    assert db.execute("PRAGMA secure_delete").fetchone()[0] == 1
    assert db.execute("PRAGMA temp_store").fetchone()[0] == 2
    assert names(db) == []


def test_what_was_stored_is_there_again(db: Any, connect: Open) -> None:
    Collections(db).create("Rents", "mask", True)
    db.close()
    assert names(connect()) == ["Rents"]


def test_another_key_is_refused_and_harms_nothing(db: Any, connect: Open) -> None:
    Collections(db).create("Rents", "mask", True)
    db.close()
    assert code_of(lambda: connect(Key(bytes(32), "file"))) == "wrong_key"
    assert names(connect()) == ["Rents"]


def test_a_file_that_is_no_database_is_refused(path: Path, connect: Open) -> None:
    path.write_bytes(os.urandom(8192))
    assert code_of(connect) == "wrong_key"


def test_no_file_holds_readable_text(db: Any, path: Path) -> None:
    Collections(db).create(PLANTED, "mask", True)
    with transaction(db):
        db.execute("INSERT INTO terms (term) VALUES (?)", (PLANTED * 50,))
    content = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert len(content) > 4096
    assert PLANTED.encode() not in content
    assert b"SQLite format 3" not in content
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert PLANTED.encode() not in path.read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_every_file_belongs_to_its_owner_alone(db: Any, path: Path) -> None:
    Collections(db).create("Rents", "mask", True)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert "library.db-wal" in modes
    assert set(modes.values()) == {0o600}, modes


def test_a_newer_schema_is_refused_untouched(db: Any, path: Path, connect: Open) -> None:
    db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    before = path.read_bytes()
    assert code_of(connect) == "newer_schema"
    assert path.read_bytes() == before


@pytest.fixture
def upgraded(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Declares one more migration."""

    def upgraded(script: str) -> None:
        monkeypatch.setattr(connecting, "MIGRATIONS", (*MIGRATIONS, script))

    return upgraded


def test_a_migration_runs_once_and_leaves_a_copy_of_before(
    db: Any, path: Path, connect: Open, upgraded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Collections(db).create("Rents", "mask", True)
    db.close()
    upgraded("CREATE TABLE extra (id INTEGER PRIMARY KEY);\nINSERT INTO extra VALUES (7)")
    for _ in range(2):
        newer = connect()
        assert [tuple(row) for row in newer.execute("SELECT id FROM extra")] == [(7,)]
        assert names(newer) == ["Rents"]
        newer.close()
    copy = path.with_name(f"library.db.before-{len(MIGRATIONS) + 1}")
    monkeypatch.undo()
    old = open_database(copy, Key(bytes(range(32)), "file"))
    assert names(old) == ["Rents"]
    old.close()


def test_a_failing_migration_changes_nothing_and_leaves_a_copy(
    db: Any, path: Path, connect: Open, upgraded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Collections(db).create("Rents", "mask", True)
    db.close()
    upgraded("CREATE TABLE extra (id INTEGER);\nDROP TABLE collections;\nTHIS IS NOT SQL")
    assert code_of(connect) == "migration_failed"
    monkeypatch.undo()
    for file in (path, path.with_name(f"library.db.before-{len(MIGRATIONS) + 1}")):
        same = open_database(file, Key(bytes(range(32)), "file"))
        assert names(same) == ["Rents"]
        assert same.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
        assert not same.execute("SELECT 1 FROM sqlite_master WHERE name = 'extra'").fetchall()
        same.close()


def test_a_full_disk_is_told_and_earlier_content_is_intact(db: Any) -> None:
    Collections(db).create("Rents", "mask", True)
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")

    def fill() -> None:
        with transaction(db):
            db.executemany("INSERT INTO terms (term) VALUES (?)", [(f"{i}" * 500,) for i in range(1000)])

    assert code_of(fill) == "disk_full"
    assert not db.in_transaction
    assert names(db) == ["Rents"]
    assert db.execute("SELECT count(*) FROM terms").fetchone()[0] == 0
    assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    db.execute("PRAGMA max_page_count = 1000000")
    fill()
    assert db.execute("SELECT count(*) FROM terms").fetchone()[0] == 1000


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("database or disk is full", "disk_full"),
        ("attempt to write a readonly database", "read_only"),
        ("unable to open database file", "read_only"),
        ("database is locked", "locked"),
    ],
)
def test_the_database_s_own_words_become_codes(said: str, code: str) -> None:
    def fail() -> None:
        with translated():
            raise sqlite.OperationalError(said)

    assert code_of(fail) == code


def test_other_errors_of_the_database_are_bugs(db: Any) -> None:
    with pytest.raises(sqlite.OperationalError), transaction(db):
        db.execute("SELECT nonsense FROM nowhere")
    assert not db.in_transaction


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_read_only(path: Path, connect: Open) -> None:
    path.parent.chmod(0o500)
    try:
        assert code_of(connect) == "read_only"
    finally:
        path.parent.chmod(0o700)


def test_a_folder_that_is_not_there_is_read_only(path: Path) -> None:
    assert code_of(lambda: open_database(path.parent / "nowhere" / "x.db", Key(bytes(32), "file"))) == "read_only"


def test_an_interrupted_transaction_leaves_nothing(db: Any) -> None:
    def interrupted() -> None:
        with transaction(db):
            db.execute("INSERT INTO terms (term) VALUES ('half')")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert db.execute("SELECT count(*) FROM terms").fetchone()[0] == 0


def test_threads_may_prepare_the_same_statement_at_once(tmp_path: Path) -> None:
    db = open_database(tmp_path / "library.db", Key(bytes(32), "file"))
    together, failed = threading.Barrier(4), []

    def ask() -> None:
        for number in range(200):  # twice as many as are remembered
            parts = " UNION ALL ".join(f"SELECT a + {at} FROM t, sqlite_master" for at in range(60))
            together.wait(30)
            try:
                list(db.execute(f"WITH t(a) AS (VALUES ({number})) {parts}"))
            except KeyError as error:
                failed.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    db.close()
