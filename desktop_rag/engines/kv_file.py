"""One saved KV memory as a file that only its key opens, whole or not at all.

    magic (8) | salt (16) | length of the header (4) | header, sealed | chunks of the state, sealed

AES-256-GCM with a key of its own for every file (HKDF over the salt), so that a counter can serve as
nonce. As in the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015) a chunk's place and
whether it is the last one are authenticated: a chunk that is moved, cut off or taken from another
file does not open. Header and state are sealed apart, so that headers can be read alone.
"""

from __future__ import annotations

import json
import secrets
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

CHUNK_BYTES = 4 << 20
KEY_BYTES = 32

_MAGIC = b"DRAGKV1\n"
_SALT_BYTES = 16
_TAG_BYTES = 16
_LENGTH = struct.Struct("<I")
_PREFIX_BYTES = len(_MAGIC) + _SALT_BYTES + _LENGTH.size
_MAX_HEADER_BYTES = 16 << 20

Tokens = np.ndarray[Any, np.dtype[np.int32]]


class DamagedError(Exception):
    """A file that is not one of ours, not whole, or not for this key."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a state belongs to; `size` is the state's bytes, `note` JSON of the caller."""

    model: str
    tokens: Tokens
    conversation: str | None
    note: dict[str, Any]
    size: int


def write(file: BinaryIO, key: bytes, header: Header, state: bytes) -> int:
    """Seal both into an empty file; returns its size."""
    salt = secrets.token_bytes(_SALT_BYTES)
    cipher = _cipher(key, salt)
    sealed = _seal_header(cipher, header)
    size = file.write(_MAGIC + salt + _LENGTH.pack(len(sealed))) + file.write(sealed)
    return size + sum(file.write(chunk) for chunk in seal_chunks(cipher, state))


def read_header(file: BinaryIO, key: bytes) -> Header:
    """The header alone. Raises DamagedError."""
    return _open(file, key)[0]


def read_state(file: BinaryIO, key: bytes, header: Header) -> bytes | None:
    """The state, or None when the file now belongs to other tokens than `header` says. Raises DamagedError."""
    found, cipher = _open(file, key)
    if found.model != header.model or not np.array_equal(found.tokens, header.tokens):
        return None
    try:
        return b"".join(_open_chunks(file, cipher, found.size))
    except InvalidTag as error:
        raise DamagedError from error


def _open(file: BinaryIO, key: bytes) -> tuple[Header, AESGCM]:
    prefix = file.read(_PREFIX_BYTES)
    if len(prefix) != _PREFIX_BYTES or not prefix.startswith(_MAGIC):
        raise DamagedError
    cipher = _cipher(key, prefix[len(_MAGIC) : -_LENGTH.size])
    (length,) = _LENGTH.unpack(prefix[-_LENGTH.size :])
    if not _TAG_BYTES < length <= _MAX_HEADER_BYTES:
        raise DamagedError
    try:
        return _header(cipher.decrypt(_nonce(0, last=False), _exactly(file, length), _MAGIC)), cipher
    except InvalidTag as error:
        raise DamagedError from error


def _header(plain: bytes) -> Header:
    (text_bytes,) = _LENGTH.unpack_from(plain)
    facts = json.loads(plain[_LENGTH.size : _LENGTH.size + text_bytes])
    tokens = np.frombuffer(plain, np.int32, count=facts["tokens"], offset=_LENGTH.size + text_bytes)
    return Header(facts["model"], tokens, facts["conversation"], facts["note"], facts["size"])


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), KEY_BYTES, salt, b"desktop-rag saved KV 1").derive(key))


def _nonce(number: int, *, last: bool) -> bytes:
    """0 is the header; chunks count from 1. The last byte marks the end."""
    return number.to_bytes(11, "big") + bytes([last])


def _seal_header(cipher: AESGCM, header: Header) -> bytes:
    facts = {
        "model": header.model,
        "conversation": header.conversation,
        "note": header.note,
        "size": header.size,
        "tokens": len(header.tokens),
    }
    text = json.dumps(facts).encode()
    return cipher.encrypt(_nonce(0, last=False), _LENGTH.pack(len(text)) + text + header.tokens.tobytes(), _MAGIC)


def seal_chunks(cipher: AESGCM, state: bytes) -> Iterator[bytes]:
    """The state in pieces of CHUNK_BYTES, sealed; an empty one has one empty piece, so that every file has a last."""
    view = memoryview(state)
    count = max(1, -(-len(view) // CHUNK_BYTES))
    for i in range(count):
        part = view[i * CHUNK_BYTES : (i + 1) * CHUNK_BYTES]
        yield cipher.encrypt(_nonce(i + 1, last=i + 1 == count), part, _MAGIC)


def _open_chunks(file: BinaryIO, cipher: AESGCM, size: int) -> Iterator[bytes]:
    count = max(1, -(-size // CHUNK_BYTES))
    for i in range(count):
        length = min(CHUNK_BYTES, size - i * CHUNK_BYTES) + _TAG_BYTES
        yield cipher.decrypt(_nonce(i + 1, last=i + 1 == count), _exactly(file, length), _MAGIC)
    if file.read(1):
        raise DamagedError


def _exactly(file: BinaryIO, length: int) -> bytes:
    data = file.read(length)
    if len(data) != length:
        raise DamagedError
    return data
