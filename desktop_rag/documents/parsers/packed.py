"""Packed files (GZIP, BZIP2, XZ): the one file inside as a child, unpacked in bounded steps.

Read with the engines themselves rather than through the gzip, bz2 and lzma modules: those go through a header's text
byte by byte, however long, and give back whatever one of their steps unpacks to.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol

from desktop_rag.documents.archives import Names, too_tight
from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo
from desktop_rag.documents.source import Child, Source, stem, suffix
from desktop_rag.errors import DocumentError

_CHUNK = 1 << 16
# Its strongest setting takes 65 MiB; a header may ask for four gigabytes.
_MOST_MEMORY = 128 * 2**20
_BROKEN = (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError)
_TAR = ("tgz", "tbz", "tbz2", "txz")


class _Engine(Protocol):
    """What unpacks one stream of data, as much of it at a time as it is asked for."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...


class _Gzip:
    """zlib's engine with the manners of the other two."""

    _WITH_HEADER = 31

    def __init__(self) -> None:
        self._engine = zlib.decompressobj(self._WITH_HEADER)

    @property
    def eof(self) -> bool:
        return self._engine.eof

    @property
    def needs_input(self) -> bool:
        return not self._engine.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._engine.unused_data

    def decompress(self, data: bytes, max_length: int = _CHUNK) -> bytes:
        return self._engine.decompress(self._engine.unconsumed_tail + data, max_length)


_ENGINES: dict[str, Callable[[], _Engine]] = {
    "gz": _Gzip,
    "bz2": bz2.BZ2Decompressor,
    "xz": partial(lzma.LZMADecompressor, lzma.FORMAT_XZ, memlimit=_MOST_MEMORY),
}
_MAGIC = ((b"BZh", "bz2"), (b"\xfd7zXZ\x00", "xz"))


def parse(source: Source, *, limits: Limits, password: str | None = None) -> Iterator[DocumentInfo | Child]:
    """One child, called like the file without the suffix that says how it is packed."""
    with source.open() as stream:
        head = stream.read(8)
    kind = next((kind for magic, kind in _MAGIC if head.startswith(magic)), "gz")
    if not next(_chunks(source, kind, limits), b""):
        raise DocumentError("empty", "There is nothing in the packed file.", "Check that the right file was chosen.")
    yield DocumentInfo(kind, stem(source), None)
    yield Child(Names().give(_name(source, kind)), None, partial(unpacked, source, kind, limits))


def _name(source: Source, kind: str) -> str:
    ending = suffix(source).removeprefix(".")
    if ending in _TAR:
        return f"{stem(source)}.tar"
    return stem(source) if ending == kind else source.name


def unpacked(source: Source, kind: str, limits: Limits) -> bytes:
    """The bytes inside a packed file of this kind, counted while they come."""
    pieces: list[bytes] = []
    total = 0
    packed = source.size
    for piece in _chunks(source, kind, limits):
        total += len(piece)
        if total > limits.max_unpacked_bytes or too_tight(total, packed, limits):
            raise DocumentError(
                "too_large",
                f"The file unpacks to more than {total // 1_000_000:,} MB, which is more than is read.",
                "A normal document never packs this tightly: check where the file comes from.",
            )
        pieces.append(piece)
    return b"".join(pieces)


def _chunks(source: Source, kind: str, limits: Limits) -> Iterator[bytes]:
    """What is inside, piece by piece; several packed files one after the other count as one, as the formats say."""
    with source.open() as stream:
        engine = _ENGINES[kind]()
        waiting = stream.read(_CHUNK)
        members = 1
        while waiting or not (engine.eof or engine.needs_input):
            piece, waiting = _step(engine, waiting), b""
            if piece:
                yield piece
            if engine.eof:
                # Some programs fill the last block up with zeros.
                waiting = (engine.unused_data or stream.read(_CHUNK)).lstrip(b"\x00")
                engine = _ENGINES[kind]() if waiting else engine
                members += 1
                if members > limits.max_zip_entries:
                    raise DocumentError(
                        "too_large", "The file is packed in far too many pieces.", "Unpack it and add what is inside."
                    )
            elif engine.needs_input:
                waiting = stream.read(_CHUNK)
        if not engine.eof:
            raise _damaged("it ends early")


def _step(engine: _Engine, data: bytes) -> bytes:
    try:
        return engine.decompress(data, _CHUNK)
    except _BROKEN as failure:
        raise _damaged("it cannot be unpacked") from failure


def _damaged(cause: str) -> DocumentError:
    return DocumentError(
        "unreadable", f"The packed file is damaged: {cause}.", "It may be an unfinished download: get it again."
    )
