"""Who can keep a library's key in the open: the operating system's keyring, or a file that only its owner may read.

Every key is kept under a name of its own (the `identity` in store.json), so that a new one never lies over an old one.
"""

from __future__ import annotations

from pathlib import Path

from desktop_rag import paths
from desktop_rag.store.files import write_private

_SERVICE = "desktop-rag"


def has_keyring() -> bool:
    """Whether this system has a keyring at all; it may be locked."""
    import keyring
    from keyring.errors import KeyringError

    try:
        return bool(keyring.get_keyring().priority > 0)
    except (KeyringError, RuntimeError):
        return False


def keyring_get(identity: str) -> bytes | None:
    """The key, or None where the keyring does not give it."""
    import keyring
    from keyring.errors import KeyringError

    try:
        value = keyring.get_password(_SERVICE, identity)
        return bytes.fromhex(value) if value else None
    except (KeyringError, ValueError, OSError):
        return None


def keyring_put(identity: str, raw: bytes) -> bool:
    """Store and read back: some back ends accept everything and keep nothing."""
    import keyring
    from keyring.errors import KeyringError

    try:
        keyring.set_password(_SERVICE, identity, raw.hex())
    except (KeyringError, OSError):
        return False
    return keyring_get(identity) == raw


def keyring_drop(identity: str) -> bool:
    """Forget the key; whether it is gone."""
    import keyring
    from keyring.errors import KeyringError, PasswordDeleteError

    try:
        try:
            keyring.delete_password(_SERVICE, identity)
        except PasswordDeleteError:
            # Some back ends say so of a key that they do not have, others of one that they may not touch.
            return keyring.get_password(_SERVICE, identity) is None
    except (KeyringError, OSError):
        return False
    return True


def file_get(data_dir: Path, identity: str) -> bytes | None:
    """The key, or None where the file is missing or damaged."""
    try:
        return bytes.fromhex(_file(data_dir, identity).read_text().strip())
    except (OSError, ValueError):
        return None


def file_put(data_dir: Path, identity: str, raw: bytes) -> bool:
    """Write and read back. Raises StoreError disk_full or read_only."""
    write_private(_file(data_dir, identity), raw.hex().encode())
    return file_get(data_dir, identity) == raw


def file_drop(data_dir: Path, identity: str) -> bool:
    """Delete the file; whether it is gone."""
    try:
        _file(data_dir, identity).unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _file(data_dir: Path, identity: str) -> Path:
    """Never inside the data directory: a copy of that folder must not carry its own key.

    macOS and Windows keep data and configuration in one place by default; there the keys lie beside it.
    """
    folder = paths.config_dir() / "keys"
    if folder.resolve().is_relative_to(data_dir.resolve()):
        folder = data_dir.with_name(f"{data_dir.name}-keys")
    return folder / f"{identity}.key"
