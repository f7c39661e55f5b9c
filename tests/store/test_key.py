"""Where the key comes from: the keyring, a passphrase, a file; and what is said when it is gone."""

from __future__ import annotations

import json
import os
import stat
import sys
from typing import TYPE_CHECKING

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordSetError

from desktop_rag import paths
from desktop_rag.errors import StoreError
from desktop_rag.store.key import load_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Ring(KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("locked")
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.locked:
            raise PasswordSetError("locked")
        self.held[service, username] = password


@pytest.fixture
def ring() -> Iterator[Ring]:
    before = keyring.get_keyring()
    made = Ring()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


@pytest.fixture
def passphrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "passphrase"
    path.write_text("correct horse\n")
    monkeypatch.setenv("DESKTOP_RAG_PASSPHRASE_FILE", str(path))
    return path


def refusal() -> str:
    with pytest.raises(StoreError) as caught:
        load_key(paths.data_dir())
    assert caught.value.code == "wrong_key"
    assert caught.value.hint
    return caught.value.message


def key_files() -> list[Path]:
    return sorted(paths.config_dir().rglob("*.key"))


def test_the_keyring_comes_first(ring: Ring, passphrase: Path) -> None:
    key = load_key(paths.data_dir())
    assert key.protection == "keyring"
    assert list(ring.held.values()) == [key.raw.hex()]
    assert key_files() == []
    assert load_key(paths.data_dir()) == key


def test_a_keyring_that_keeps_nothing_is_passed_over(passphrase: Path) -> None:
    # The test run's own backend accepts everything and returns nothing.
    assert load_key(paths.data_dir()).protection == "passphrase"


def test_a_locked_keyring_is_passed_over_for_a_new_library_only(ring: Ring) -> None:
    ring.locked = True
    assert load_key(paths.data_dir()).protection == "file"


def test_a_keyring_that_lost_the_key_is_told(ring: Ring) -> None:
    load_key(paths.data_dir())
    ring.locked = True
    assert "keyring" in refusal()
    ring.locked = False
    ring.held.clear()
    assert "keyring" in refusal()


def test_a_passphrase_gives_the_same_key_and_is_stored_nowhere(passphrase: Path) -> None:
    key = load_key(paths.data_dir())
    assert key.protection == "passphrase"
    assert len(key.raw) == 32
    passphrase.write_bytes(b"correct horse")  # how the file ends does not matter
    assert load_key(paths.data_dir()) == key
    stored = b"".join(f.read_bytes() for f in paths.data_dir().parent.rglob("*") if f.is_file())
    assert b"horse" not in stored
    assert key.raw.hex().encode() not in stored


def test_another_passphrase_is_another_key(passphrase: Path) -> None:
    key = load_key(paths.data_dir())
    passphrase.write_text("wrong horse")
    assert load_key(paths.data_dir()).raw != key.raw


def test_a_missing_or_empty_passphrase_is_told(passphrase: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_key(paths.data_dir())
    passphrase.write_text("\n")
    assert "passphrase" in refusal()
    passphrase.unlink()
    assert "passphrase file" in refusal()
    monkeypatch.delenv("DESKTOP_RAG_PASSPHRASE_FILE")
    assert "passphrase" in refusal()


def test_otherwise_a_private_file_in_the_configuration_folder() -> None:
    key = load_key(paths.data_dir())
    assert key.protection == "file"
    (file,) = key_files()
    assert not file.is_relative_to(paths.data_dir())
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    in_data = b"".join(f.read_bytes() for f in paths.data_dir().rglob("*") if f.is_file())
    assert key.raw.hex().encode() not in in_data
    assert key.raw not in in_data
    assert load_key(paths.data_dir()) == key


def test_the_key_file_never_lies_in_the_data_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    for inside in (paths.data_dir(), paths.data_dir() / "config"):
        monkeypatch.setenv("DESKTOP_RAG_CONFIG_DIR", str(inside))
        key = load_key(paths.data_dir())
        assert key.protection == "file"
        assert not list(paths.data_dir().rglob("*.key"))
        assert load_key(paths.data_dir()) == key
        (paths.data_dir() / "store.json").unlink()


@pytest.mark.parametrize("content", [None, "", "no hexadecimal"])
def test_a_key_file_that_is_missing_or_damaged_is_told(content: str | None) -> None:
    load_key(paths.data_dir())
    (file,) = key_files()
    if content is None:
        file.unlink()
        assert refusal() == "The key file of this library is missing from the configuration folder, or damaged."
    else:
        file.write_text(content)
        refusal()


@pytest.mark.parametrize(
    "record", ["", "[]", "{}", '{"protection": "hope", "id": "a", "salt": ""}', '{"protection": "file", "id": "../x"}']
)
def test_a_damaged_record_is_told_and_kept(record: str) -> None:
    load_key(paths.data_dir())
    path = paths.data_dir() / "store.json"
    path.write_text(record)
    assert "store.json" in refusal()
    assert path.read_text() == record


def test_a_library_without_its_record_gets_no_new_key() -> None:
    (paths.data_dir() / "library.db").write_bytes(b"encrypted")
    assert "store.json" in refusal()
    assert key_files() == []


def test_the_record_names_the_keeper_but_holds_no_secret() -> None:
    key = load_key(paths.data_dir())
    record = json.loads((paths.data_dir() / "store.json").read_text())
    assert record["protection"] == "file"
    assert key.raw.hex() not in json.dumps(record)


def test_two_libraries_have_two_keys(tmp_path: Path) -> None:
    one, two = (paths.private_dir(tmp_path / name) for name in ("one", "two"))
    assert load_key(one).raw != load_key(two).raw
    assert os.listdir(one) == ["store.json"]
