"""Where a new key goes and where it is found again: the keyring, a passphrase, a file; what is said when it is gone."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
from typing import TYPE_CHECKING

import pytest

from desktop_rag import paths
from desktop_rag.errors import StoreError, UsageError
from desktop_rag.store import keepers
from desktop_rag.store.connection import open_database
from desktop_rag.store.key import Key, good_passphrase, load_key, make_key, settle

if TYPE_CHECKING:
    from pathlib import Path

    from tests.store.rings import Ring


pytestmark = pytest.mark.usefixtures("cheap")


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


def test_another_passphrase_is_told_and_does_no_harm(passphrase: Path) -> None:
    key = load_key(paths.data_dir())
    passphrase.write_text("wrong horse")
    assert refusal() == "This is not the library's passphrase."
    assert load_key(paths.data_dir(), b"correct horse") == key


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


# -- who is asked -------------------------------------------------------------------------------


def test_somebody_who_can_be_asked_is_asked_and_nothing_is_made_meanwhile() -> None:
    with pytest.raises(StoreError) as caught:
        load_key(paths.data_dir(), ask=True)
    assert (caught.value.code, caught.value.details) == ("wrong_key", {"unlock": "choose"})
    assert key_files() == []
    assert os.listdir(paths.data_dir()) == []


def test_nobody_is_asked_where_there_is_a_keyring_or_a_passphrase(ring: Ring, passphrase: Path) -> None:
    assert load_key(paths.data_dir(), ask=True).protection == "keyring"
    ring.locked = True
    assert load_key(paths.private_dir(passphrase.with_name("two")), ask=True).protection == "passphrase"


def test_what_was_chosen_is_made_once(ring: Ring) -> None:
    key = make_key(paths.data_dir(), "passphrase", b"battery staple")
    assert key.made
    assert ring.held == {}
    assert load_key(paths.data_dir(), b"battery staple") == key
    assert not load_key(paths.data_dir(), b"battery staple").made
    for keeper in ("passphrase", "file", "keyring"):
        with pytest.raises(UsageError):
            make_key(paths.data_dir(), keeper, b"battery staple")
    assert load_key(paths.data_dir(), b"battery staple") == key


def test_a_short_passphrase_is_refused_in_words() -> None:
    assert good_passphrase("eight 88") == b"eight 88"
    with pytest.raises(UsageError) as caught:
        good_passphrase("seven 7")
    assert "8 characters" in caught.value.message


def test_a_key_that_is_another_one_is_not_used(ring: Ring) -> None:
    load_key(paths.data_dir())
    for name in ring.held:
        ring.held[name] = bytes(32).hex()
    assert "keyring" in refusal()


def test_the_key_is_not_in_its_description() -> None:
    key = load_key(paths.data_dir())
    assert key.raw.hex() not in repr(key)
    assert repr(key.raw) not in repr(key)


# -- libraries of the first version -------------------------------------------------------------


def first_version(protection: str) -> bytes:
    """A record as it was written at first, and its key."""
    identity, salt = "00112233445566aa", "5a" * 16
    raw = bytes(range(32))
    if protection == "passphrase":
        raw = hashlib.scrypt(b"correct horse", salt=bytes.fromhex(salt), n=2**15, r=8, p=1, maxmem=2**26, dklen=32)
    elif protection == "file":
        keepers.file_put(paths.data_dir(), identity, raw)
    else:
        assert keepers.keyring_put(identity, raw)
    record = {"protection": protection, "id": identity, "salt": salt}
    (paths.data_dir() / "store.json").write_text(json.dumps(record))
    return raw


@pytest.mark.parametrize("protection", ["keyring", "passphrase", "file"])
def test_a_library_of_the_first_version_opens_and_is_brought_up_to_date(
    ring: Ring, passphrase: Path, protection: str
) -> None:
    raw = first_version(protection)
    key = load_key(paths.data_dir())
    assert (key.raw, key.protection, key.proven) == (raw, protection, False)
    settle(paths.data_dir(), key)
    record = json.loads((paths.data_dir() / "store.json").read_text())
    assert record["version"] == 2
    assert "salt" not in record
    again = load_key(paths.data_dir())
    assert (again, again.proven) == (key, True)
    if protection == "passphrase":
        assert record["wrapped"]["kdf"] == "argon2id"
        passphrase.write_text("wrong horse")
        assert refusal() == "This is not the library's passphrase."


def test_an_old_passphrase_is_moved_over_only_once_the_database_has_opened(passphrase: Path) -> None:
    first_version("passphrase")
    passphrase.write_text("wrong horse")
    with pytest.raises(StoreError) as caught:
        # scrypt makes some key of any passphrase.
        open_database(_database(bytes(range(32))), load_key(paths.data_dir()))
    assert caught.value.message == "This is not the library's passphrase."
    assert "version" not in json.loads((paths.data_dir() / "store.json").read_text())


def _database(raw: bytes) -> Path:
    path = paths.data_dir() / "library.db"
    open_database(path, Key(raw, "file")).close()
    return path


def test_a_damaged_library_is_told_from_a_wrong_key(passphrase: Path) -> None:
    key = load_key(paths.data_dir())
    path = _database(key.raw)
    path.write_bytes(os.urandom(8192))
    with pytest.raises(StoreError) as caught:
        open_database(path, load_key(paths.data_dir()))
    assert caught.value.code == "damaged"
