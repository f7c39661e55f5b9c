"""A backup is whole or there is none; it opens with its own passphrase elsewhere; restoring overwrites nothing."""

from __future__ import annotations

import os
import stat
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from desktop_rag import paths
from desktop_rag.errors import StoreError, UsageError
from desktop_rag.store import backup as backing_up
from desktop_rag.store import key_record
from desktop_rag.store.backup import restore_backup, write_backup
from desktop_rag.store.collections import Collections
from desktop_rag.store.connection import open_database
from desktop_rag.store.key import Key, change_keeper, load_key, make_key

pytestmark = pytest.mark.usefixtures("cheap")

OWN, ITS = b"correct horse", b"battery staple"
PLANTED = "Jean-Rivera-planted-sentinel"


class Killed(BaseException):
    """The process is gone: no handler of ours catches it."""


def quiet(_what: str, _share: int) -> None:
    """Nobody watches."""


@pytest.fixture
def key() -> Key:
    """The key of a library with something in it."""
    key = make_key(paths.data_dir(), "passphrase", OWN)
    db = open_database(paths.data_dir() / "library.db", key)
    Collections(db).create(PLANTED, "mask", True)
    db.close()
    return key


@pytest.fixture
def file(key: Key, tmp_path: Path) -> Path:
    """A backup of that library."""
    target = paths.private_dir(tmp_path / "backups") / "library.zip"
    write_backup(paths.data_dir(), key, target, ITS, quiet)
    return target


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A data directory with nothing in it."""
    return paths.private_dir(tmp_path / "elsewhere")


def names(data_dir: Path, passphrase: bytes) -> list[str]:
    db = open_database(data_dir / "library.db", load_key(data_dir, passphrase))
    found = [row["name"] for row in Collections(db).all()]
    db.close()
    return found


def code_of(call: Callable[[], Any]) -> str:
    with pytest.raises((StoreError, UsageError)) as caught:
        call()
    assert caught.value.hint
    return caught.value.code


def test_what_was_backed_up_opens_elsewhere_with_the_backups_passphrase(key: Key, file: Path, empty: Path) -> None:
    restore_backup(empty, file, ITS, quiet)
    assert names(empty, ITS) == [PLANTED]
    assert load_key(empty, ITS).raw == key.raw, "what else is sealed with the key stays readable"
    assert code_of(lambda: load_key(empty, OWN)) == "wrong_key"
    assert names(paths.data_dir(), OWN) == [PLANTED]
    assert sorted(os.listdir(empty)) == ["library.db", "store.json"]
    changed = change_keeper(empty, load_key(empty, ITS), "file")
    assert load_key(empty) == changed


def test_it_is_one_file_that_tells_nothing(key: Key, file: Path) -> None:
    content = file.read_bytes()
    assert len(content) > 4096
    for secret in (PLANTED.encode(), b"SQLite format 3", key.raw, key.raw.hex().encode(), OWN, ITS):
        assert secret not in content
    assert os.listdir(file.parent) == [file.name]
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_whoever_unpacks_it_by_hand_has_a_data_directory(file: Path, empty: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        archive.extractall(empty)
    assert names(empty, ITS) == [PLANTED]


def test_it_is_one_moment_while_others_go_on_writing(
    key: Key, tmp_path: Path, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backing_up, "_PAGES", 1)
    writing = open_database(paths.data_dir() / "library.db", key)
    told: list[int] = []

    def step(what: str, share: int) -> None:
        if what == "copying" and len(told) < 20:
            told.append(share)
            Collections(writing).create(f"Later {len(told)}", "mask", True)

    write_backup(paths.data_dir(), key, tmp_path / "b.zip", ITS, step)
    assert told == sorted(told)
    assert len(Collections(writing).all()) == 21
    writing.close()
    restore_backup(empty, tmp_path / "b.zip", ITS, quiet)
    assert names(empty, ITS) == [PLANTED]


@pytest.mark.parametrize("when", ["copying", "checking", "packing"])
def test_a_stop_leaves_the_file_that_was_there(key: Key, file: Path, when: str) -> None:
    before = file.read_bytes()

    def stop(what: str, _share: int) -> None:
        if what == when:
            raise Killed

    with pytest.raises(Killed):
        write_backup(paths.data_dir(), key, file, ITS, stop)
    assert file.read_bytes() == before
    assert os.listdir(file.parent) == [file.name]


def test_a_folder_that_is_not_there_is_told(key: Key, tmp_path: Path) -> None:
    assert code_of(lambda: write_backup(paths.data_dir(), key, tmp_path / "no" / "b.zip", ITS, quiet)) == "read_only"


def test_another_passphrase_restores_nothing(file: Path, empty: Path) -> None:
    assert code_of(lambda: restore_backup(empty, file, OWN, quiet)) == "wrong_key"
    assert os.listdir(empty) == []


@pytest.mark.parametrize("name", ["store.json", "library.db"])
def test_a_library_is_never_restored_over_another(file: Path, empty: Path, name: str) -> None:
    (empty / name).write_bytes(b"somebody's")
    assert code_of(lambda: restore_backup(empty, file, ITS, quiet)) == "bad_request"
    assert (empty / name).read_bytes() == b"somebody's"


def test_a_damaged_backup_is_told_and_restores_nothing(file: Path, empty: Path) -> None:
    whole = file.read_bytes()
    broken = [b"", b"PK\x03\x04 no more", whole[: len(whole) // 2], whole[:-1]]
    places = range(0, len(whole), len(whole) // 40)
    broken += [whole[:place] + bytes([whole[place] ^ 0x40]) + whole[place + 1 :] for place in places]
    refused = 0
    for content in broken:
        file.write_bytes(content)
        try:
            restore_backup(empty, file, ITS, quiet)
        except (StoreError, UsageError) as error:
            refused += error.code in ("damaged", "wrong_key", "newer_schema")
            assert os.listdir(empty) == []
        else:
            # A bit that nobody reads: a date, say.
            assert names(empty, ITS) == [PLANTED]
            for path in empty.iterdir():
                path.unlink()
    assert refused >= len(broken) - 3


def test_a_file_that_is_not_there_or_is_anything_else_is_told(empty: Path, tmp_path: Path) -> None:
    assert code_of(lambda: restore_backup(empty, tmp_path / "none.zip", ITS, quiet)) == "bad_request"
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("letter.txt", "Dear all")
    assert code_of(lambda: restore_backup(empty, tmp_path / "other.zip", ITS, quiet)) == "damaged"


@pytest.mark.parametrize("step", [0, 1, 2])
def test_a_kill_while_restoring_leaves_the_whole_library_or_none(
    file: Path, empty: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Killed before the record is written, before the database is put in its place, before the record is."""
    real = Path.replace

    def dying(self: Path, target: Path) -> Path:
        if step == {"library.db": 1, "store.json": 2}.get(target.name):
            raise Killed
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", dying)
        if step == 0:
            patch.setattr(key_record, "write", lambda *_: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            restore_backup(empty, file, ITS, quiet)
    if step < 2:
        restore_backup(empty, file, ITS, quiet)
    assert names(empty, ITS) == [PLANTED]
    assert sorted(os.listdir(empty)) == ["library.db", "store.json"]
