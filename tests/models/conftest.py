"""A writer of small GGUF files, by the published layout."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

import pytest

GgufWriter = Callable[..., bytes]
F32 = 0


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _value(value: object) -> bytes:
    match value:
        case bool():
            return struct.pack("<I?", 7, value)
        case int():
            return struct.pack("<II", 4, value)
        case float():
            return struct.pack("<If", 6, value)
        case str():
            return struct.pack("<I", 8) + _string(value)
        case list():
            return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(_string(str(item)) for item in value)
    raise TypeError(value)


def write_gguf(
    metadata: dict[str, object] | None = None,
    tensors: Sequence[tuple[str, int]] = (("token_embd.weight", 64),),
    version: int = 3,
) -> bytes:
    """A whole file: `tensors` are names with their number of float32 values."""
    pairs = {"general.architecture": "llama"} if metadata is None else metadata
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(pairs))
    head += b"".join(_string(key) + _value(value) for key, value in pairs.items())
    offset = 0
    for name, values in tensors:
        head += _string(name) + struct.pack("<IQIQ", 1, values, F32, offset)
        offset += values * 4
    return head + bytes(-len(head) % 32) + bytes(offset)


@pytest.fixture
def gguf() -> GgufWriter:
    """See `write_gguf`."""
    return write_gguf
