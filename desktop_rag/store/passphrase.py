"""The library's key behind a passphrase: Argon2id makes a key of the passphrase, and that one encrypts the library's.

So the passphrase can be changed without touching the database, and a wrong one is told from a damaged file.
Argon2id is RFC 9106; the encryption is AES-256-GCM.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

# Somewhat above the second choice of RFC 9106: half a second to one on two slow cores.
_COST = {"memory_kib": 128 * 1024, "iterations": 3, "lanes": 4}
# A file from elsewhere must not be able to ask for all the memory or for hours.
_MOST = {"memory_kib": 1024 * 1024, "iterations": 16, "lanes": 16}
_KEY_BYTES, _SALT_BYTES, _NONCE_BYTES, _TAG_BYTES = 32, 16, 12, 16
_PURPOSE = b"desktop-rag library key"

Wrapped = dict[str, Any]
"""{kdf, memory_kib, iterations, lanes, salt, nonce, key}: numbers, and bytes in hexadecimal."""


def as_bytes(text: str) -> bytes:
    """A passphrase as typed, or as read from a file with `surrogateescape`, in the bytes that count."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def wrap(raw: bytes, passphrase: bytes) -> Wrapped:
    """Put `raw` (32 bytes) behind a passphrase; nobody can tell from the result whether two are the same."""
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    sealed = AESGCM(_derive(passphrase, salt, _COST)).encrypt(nonce, raw, _PURPOSE)
    return {"kdf": "argon2id", **_COST, "salt": salt.hex(), "nonce": nonce.hex(), "key": sealed.hex()}


def unwrap(wrapped: Wrapped, passphrase: bytes) -> bytes | None:
    """The 32 bytes, or None where the passphrase is another one. `wrapped` must be `sound`."""
    salt, nonce, sealed = (bytes.fromhex(wrapped[name]) for name in ("salt", "nonce", "key"))
    try:
        return AESGCM(_derive(passphrase, salt, wrapped)).decrypt(nonce, sealed, _PURPOSE)
    except InvalidTag:
        return None


def sound(wrapped: object) -> bool:
    """Whether something read from a file can be unwrapped at a bearable cost."""
    if not isinstance(wrapped, Mapping) or wrapped.get("kdf") != "argon2id":
        return False
    costs = [(wrapped.get(name), most) for name, most in _MOST.items()]
    if not all(type(cost) is int and 1 <= cost <= most for cost, most in costs):
        return False
    if wrapped["memory_kib"] < 8 * wrapped["lanes"]:
        return False
    lengths = {"salt": _SALT_BYTES, "nonce": _NONCE_BYTES, "key": _KEY_BYTES + _TAG_BYTES}
    return all(is_hex(wrapped.get(name), length) for name, length in lengths.items())


def is_hex(value: object, length: int) -> bool:
    """Whether `value` is this many bytes in hexadecimal."""
    try:
        return isinstance(value, str) and len(bytes.fromhex(value)) == length
    except ValueError:
        return False


def _derive(passphrase: bytes, salt: bytes, cost: Mapping[str, Any]) -> bytes:
    return Argon2id(
        salt=salt,
        length=_KEY_BYTES,
        iterations=cost["iterations"],
        lanes=cost["lanes"],
        memory_cost=cost["memory_kib"],
    ).derive(_same_everywhere(passphrase))


def _same_everywhere(passphrase: bytes) -> bytes:
    """The same letters typed on another system may come in another composition (RFC 8265)."""
    try:
        return unicodedata.normalize("NFC", passphrase.decode()).encode()
    except UnicodeDecodeError:
        return passphrase
