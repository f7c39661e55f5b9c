"""Where the database's key comes from, and how well it is kept.

The key is 32 random bytes. A new data directory takes the best keeper there is: the operating system's keyring,
else the passphrase in DESKTOP_RAG_PASSPHRASE_FILE, else what the person says who is asked; in a script, where nobody
can be asked, a 0600 file in the configuration folder. Which one it is stands in `store.json` (see `key_record`).
Another keeper or passphrase leaves the key, and with it the database, as it is.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from desktop_rag.errors import StoreError, UsageError
from desktop_rag.store import keepers, key_record
from desktop_rag.store.key_record import Place, Protection, Record, check_of
from desktop_rag.store.key_words import LEAST_CHARACTERS
from desktop_rag.store.passphrase import Wrapped, as_bytes, unwrap, wrap

KEY_BYTES = 32
RESTORED = "store.json.restored"
"""The record of a backup until its database is in place too."""
_SCRYPT = {"n": 2**15, "r": 8, "p": 1, "maxmem": 64 * 2**20, "dklen": KEY_BYTES}


@dataclass(frozen=True, slots=True)
class Key:
    """A raw 32-byte key and who keeps it."""

    raw: bytes = field(repr=False)
    protection: Protection
    proven: bool = field(default=False, compare=False)
    """It is the library's: a database that it does not open is damaged."""
    made: bool = field(default=False, compare=False)
    """It was made just now."""


def load_key(data_dir: Path, passphrase: bytes | None = None, *, ask: bool = False) -> Key:
    """The key of this data directory, made on first use; without a passphrase, that of the environment's file counts.

    Raises StoreError("wrong_key") where the keeper does not give it, the passphrase is another one, or (`ask`)
    somebody has to say who shall keep a new one. Its details name in "unlock" what would help: "passphrase",
    "keyring", "file" or "choose".
    """
    path = data_dir / key_record.NAME
    if not path.exists() and (data_dir / "library.db").exists():
        _finish_restoring(data_dir)
    if path.exists():
        return _fetch(data_dir, key_record.read(path), passphrase)
    return _first_key(data_dir, ask=ask)


def make_key(data_dir: Path, keeper: Protection, passphrase: bytes | None = None) -> Key:
    """The first key of a data directory, with the keeper a person has chosen.

    Raises UsageError where there is a library already or the keeper is not to be had.
    """
    if is_taken(data_dir):
        raise UsageError("bad_request", "This library has a key already.", "Unlock it instead.")
    return _make(data_dir, keeper, secrets.token_bytes(KEY_BYTES), passphrase)


def change_keeper(data_dir: Path, key: Key, keeper: Protection, passphrase: bytes | None = None) -> Key:
    """Give the key of an opened library to another keeper, or put it behind another passphrase.

    The old keeper has it until the new one has proved to; a kill between two steps leaves a library that opens, and
    a name in its record by which `settle` drops what is too much. Raises UsageError("not_available"), StoreError.
    """
    path = data_dir / key_record.NAME
    before = key_record.read(path)
    there = Place(keeper, _new_identity())
    key_record.write(path, replace(before, stale=(*before.stale, there)))
    try:
        after = Record(there, check_of(key.raw), _keep(data_dir, there, key.raw, passphrase))
    except (UsageError, StoreError):
        _drop_stale(data_dir)
        raise
    key_record.write(path, replace(after, stale=(*before.stale, before.place)))
    if key_record.read(path).wrapped != after.wrapped:
        raise key_record.damaged()
    _drop_stale(data_dir)
    return Key(key.raw, keeper, proven=True)


def settle(data_dir: Path, key: Key, passphrase: bytes | None = None) -> None:
    """After the database has opened with `key`: bring an old record up to date, drop what a kill has left.

    Raises StoreError disk_full or read_only.
    """
    path = data_dir / key_record.NAME
    record = key_record.read(path)
    if not record.check:
        wrapped = None
        if record.place.protection == "passphrase":
            given = passphrase or passphrase_of_environment()
            if given is None:
                return
            wrapped = wrap(key.raw, given)
        key_record.write(path, Record(record.place, check_of(key.raw), wrapped))
    _drop_stale(data_dir)


def is_taken(data_dir: Path) -> bool:
    """Whether there is a library, or what is left of one."""
    return any((data_dir / name).exists() for name in (key_record.NAME, "library.db"))


def good_passphrase(text: str) -> bytes:
    """A new passphrase as bytes. Raises UsageError where it is too short."""
    if len(text) < LEAST_CHARACTERS:
        raise UsageError(
            "bad_request",
            f"A passphrase needs {LEAST_CHARACTERS} characters at least.",
            "Four words that do not belong together are good.",
        )
    return as_bytes(text)


def wrong_passphrase() -> StoreError:
    """What is said of a passphrase that does not open the library."""
    return StoreError(
        "wrong_key",
        "This is not the library's passphrase.",
        "Mind capital letters and the keyboard's language.",
        details={"unlock": "passphrase", "wrong": True},
    )


def passphrase_of_environment() -> bytes | None:
    """What DESKTOP_RAG_PASSPHRASE_FILE holds, without the end of its line. Raises StoreError("wrong_key")."""
    name = os.environ.get("DESKTOP_RAG_PASSPHRASE_FILE")
    if not name:
        return None
    try:
        return Path(name).read_bytes().rstrip(b"\r\n") or None
    except OSError as error:
        raise StoreError(
            "wrong_key",
            f"The passphrase file cannot be read: {error.strerror}.",
            "Check its path.",
            details={"unlock": "passphrase"},
        ) from error


# -- making -----------------------------------------------------------------------------------------


def _first_key(data_dir: Path, *, ask: bool) -> Key:
    if (data_dir / "library.db").exists():
        raise StoreError(
            "wrong_key", "The file store.json that names this library's key is missing.", "Restore it from a backup."
        )
    raw = secrets.token_bytes(KEY_BYTES)
    with suppress(UsageError):
        return _make(data_dir, "keyring", raw)
    if os.environ.get("DESKTOP_RAG_PASSPHRASE_FILE"):
        given = passphrase_of_environment()
        if given is None:
            raise _lost("passphrase")
        return _make(data_dir, "passphrase", raw, given)
    if ask:
        raise StoreError(
            "wrong_key",
            "This library has no key yet.",
            "Choose a passphrase, or protect it by file permissions only.",
            details={"unlock": "choose"},
        )
    return _make(data_dir, "file", raw)


def _make(data_dir: Path, keeper: Protection, raw: bytes, passphrase: bytes | None = None) -> Key:
    place = Place(keeper, _new_identity())
    wrapped = _keep(data_dir, place, raw, passphrase)
    key_record.write(data_dir / key_record.NAME, Record(place, check_of(raw), wrapped))
    return Key(raw, keeper, proven=True, made=True)


def _keep(data_dir: Path, place: Place, raw: bytes, passphrase: bytes | None) -> Wrapped | None:
    """Give the key to its keeper and see that it has it; what the record keeps itself."""
    if place.protection == "passphrase":
        if not passphrase:
            raise UsageError("bad_request", "A passphrase is needed.", "Give one.")
        wrapped = wrap(raw, passphrase)
        if unwrap(wrapped, passphrase) != raw:
            raise key_record.damaged()
        return wrapped
    if place.protection == "keyring":
        if not keepers.keyring_put(place.identity, raw):
            raise UsageError(
                "not_available",
                "This system has no keyring that keeps the key.",
                "Unlock or install one, or choose a passphrase.",
            )
    elif not keepers.file_put(data_dir, place.identity, raw):
        raise StoreError("read_only", "The key file cannot be read back.", "Check the configuration folder.")
    return None


def _drop_stale(data_dir: Path) -> None:
    """Drop every key the record names as stale; one that cannot be dropped now stays named."""
    path = data_dir / key_record.NAME
    record = key_record.read(path)
    left = tuple(place for place in record.stale if place != record.place and not _drop(data_dir, place))
    if left != record.stale:
        # What is dropped twice harms nobody: a disk that is full now may have room at the next start.
        with suppress(StoreError):
            key_record.write(path, replace(record, stale=left))


def _drop(data_dir: Path, place: Place) -> bool:
    if place.protection == "keyring":
        return keepers.keyring_drop(place.identity)
    return place.protection == "passphrase" or keepers.file_drop(data_dir, place.identity)


def _new_identity() -> str:
    return secrets.token_hex(8)


# -- fetching ---------------------------------------------------------------------------------------


def _fetch(data_dir: Path, record: Record, passphrase: bytes | None) -> Key:
    protection, identity = record.place.protection, record.place.identity
    if protection == "passphrase":
        return Key(_behind_passphrase(record, passphrase), protection, proven=bool(record.check))
    raw = keepers.keyring_get(identity) if protection == "keyring" else keepers.file_get(data_dir, identity)
    if raw is None or len(raw) != KEY_BYTES or not record.fits(raw):
        raise _lost(protection)
    return Key(raw, protection, proven=bool(record.check))


def _behind_passphrase(record: Record, passphrase: bytes | None) -> bytes:
    given = passphrase or passphrase_of_environment()
    if given is None:
        raise _lost("passphrase")
    if record.wrapped is None:
        return hashlib.scrypt(given, salt=bytes.fromhex(record.salt), **_SCRYPT)
    raw = unwrap(record.wrapped, given)
    if raw is None:
        raise wrong_passphrase()
    if not record.fits(raw):
        raise key_record.damaged()
    return raw


def _finish_restoring(data_dir: Path) -> None:
    with suppress(OSError):
        (data_dir / RESTORED).replace(data_dir / key_record.NAME)


def _lost(protection: Protection) -> StoreError:
    cause = {
        "keyring": "The system's keyring does not give this library's key.",
        "passphrase": "This library is locked by a passphrase, and none was given.",
        "file": "The key file of this library is missing from the configuration folder, or damaged.",
    }[protection]
    hint = {
        "keyring": "Unlock the keyring you used before, then try again.",
        "passphrase": "Name the file that holds it in DESKTOP_RAG_PASSPHRASE_FILE, or open the window.",
        "file": "Put the file back, or restore a backup; without either the library cannot be read.",
    }[protection]
    return StoreError("wrong_key", cause, hint, details={"unlock": protection})
