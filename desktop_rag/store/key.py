"""Where the database's key comes from, and how well it is kept.

A new data directory takes the best keeper there is: the operating system's keyring, else the
passphrase in DESKTOP_RAG_PASSPHRASE_FILE, else a 0600 file in the configuration folder. Which one
was taken stands in `store.json` beside the database (no secret), so that the same one is asked next time.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from desktop_rag import paths
from desktop_rag.errors import StoreError
from desktop_rag.store.files import write_private

Protection = Literal["keyring", "passphrase", "file"]
_SERVICE = "desktop-rag"
_KEY_BYTES = 32
_SCRYPT = {"n": 2**15, "r": 8, "p": 1, "maxmem": 64 * 2**20, "dklen": _KEY_BYTES}


@dataclass(frozen=True, slots=True)
class Key:
    """A raw 32-byte key and who keeps it."""

    raw: bytes
    protection: Protection


def load_key(data_dir: Path) -> Key:
    """The key of this data directory, made on first use.

    Raises StoreError("wrong_key") when the keeper no longer has it.
    """
    record_path = data_dir / "store.json"
    if record_path.exists():
        protection, identity, salt = _read_record(record_path)
        raw = _fetch(data_dir, protection, identity, salt)
        if raw is None or len(raw) != _KEY_BYTES:
            raise _lost(protection)
        return Key(raw, protection)
    if (data_dir / "library.db").exists():
        raise StoreError(
            "wrong_key", "The file store.json that names this library's key is missing.", "Restore it from a backup."
        )
    return _create(record_path)


def _create(record_path: Path) -> Key:
    identity, salt = secrets.token_hex(8), secrets.token_hex(16)
    protection: Protection = "file"
    raw: bytes | None = None
    if _keyring_set(identity, fresh := secrets.token_bytes(_KEY_BYTES)):
        protection, raw = "keyring", fresh
    elif os.environ.get("DESKTOP_RAG_PASSPHRASE_FILE"):
        protection, raw = "passphrase", _from_passphrase(salt)
    else:
        write_private(_key_file(record_path.parent, identity), fresh.hex().encode())
        raw = fresh
    if raw is None:
        raise _lost(protection)
    write_private(record_path, json.dumps({"protection": protection, "id": identity, "salt": salt}).encode())
    return Key(raw, protection)


def _fetch(data_dir: Path, protection: Protection, identity: str, salt: str) -> bytes | None:
    if protection == "keyring":
        return _keyring_get(identity)
    if protection == "passphrase":
        return _from_passphrase(salt)
    try:
        return bytes.fromhex(_key_file(data_dir, identity).read_text().strip())
    except (OSError, ValueError):
        return None


def _read_record(path: Path) -> tuple[Protection, str, str]:
    try:
        record = json.loads(path.read_text())
        if record["protection"] in get_args(Protection) and record["id"].isalnum():
            return record["protection"], record["id"], record["salt"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    raise StoreError(
        "wrong_key", "The file store.json that names this library's key is damaged.", "Restore it from a backup."
    )


def _lost(protection: str) -> StoreError:
    cause = {
        "keyring": "The system's keyring does not hold this library's key.",
        "passphrase": "This library is locked by a passphrase, and none was given.",
        "file": "The key file of this library is missing from the configuration folder, or damaged.",
    }[protection]
    hint = {
        "keyring": "Unlock the keyring you used before, then try again.",
        "passphrase": "Set DESKTOP_RAG_PASSPHRASE_FILE to the file that holds it.",
        "file": "Restore it from a backup; without it the library cannot be read.",
    }[protection]
    return StoreError("wrong_key", cause, hint)


def _key_file(data_dir: Path, identity: str) -> Path:
    """Never inside the data directory: a copy of that folder must not carry its own key.

    macOS and Windows keep data and configuration in one place by default; there the keys lie beside it.
    """
    folder = paths.config_dir() / "keys"
    if folder.resolve().is_relative_to(data_dir.resolve()):
        folder = data_dir.with_name(f"{data_dir.name}-keys")
    return folder / f"{identity}.key"


def _from_passphrase(salt: str) -> bytes | None:
    name = os.environ.get("DESKTOP_RAG_PASSPHRASE_FILE")
    if not name:
        return None
    try:
        passphrase = Path(name).read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise StoreError(
            "wrong_key", f"The passphrase file cannot be read: {error.strerror}.", "Check its path."
        ) from error
    return hashlib.scrypt(passphrase, salt=bytes.fromhex(salt), **_SCRYPT) if passphrase else None


def _keyring_get(identity: str) -> bytes | None:
    import keyring
    from keyring.errors import KeyringError

    try:
        value = keyring.get_password(_SERVICE, identity)
        return bytes.fromhex(value) if value else None
    except (KeyringError, ValueError, OSError):
        return None


def _keyring_set(identity: str, raw: bytes) -> bool:
    """Store and read back: some back ends accept everything and keep nothing."""
    import keyring
    from keyring.errors import KeyringError

    try:
        keyring.set_password(_SERVICE, identity, raw.hex())
    except (KeyringError, OSError):
        return False
    return _keyring_get(identity) == raw
