"""GZIP files: the one file inside as a child, unpacked in bounded steps.

Read with zlib rather than through the gzip module, which goes through a header's text byte by byte, however long.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import partial

from desktop_rag.documents.archives import Names, too_tight
from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo
from desktop_rag.documents.source import Child, Source, stem, suffix
from desktop_rag.errors import DocumentError

_CHUNK = 1 << 16
_GZIP = 31
"""zlib's number for its largest window within a gzip header and trailer."""


def parse(source: Source, *, limits: Limits, password: str | None = None) -> Iterator[DocumentInfo | Child]:
    """One child, called like the file without its ".gz"."""
    name = Names().give(stem(source) if suffix(source) == ".gz" else source.name)
    first = next(_chunks(source, limits), b"")
    if name.lower().endswith((".tar", ".tgz")) or first[257:262] == b"ustar":
        raise DocumentError(
            "unsupported", "TAR archives cannot be read here.", "Unpack it in another program and add the files."
        )
    if not first:
        raise DocumentError("empty", "There is nothing in the packed file.", "Check that the right file was chosen.")
    yield DocumentInfo("gz", stem(source), None)
    yield Child(name, None, partial(_unpacked, source, limits))


def _unpacked(source: Source, limits: Limits) -> bytes:
    pieces: list[bytes] = []
    total = 0
    packed = source.size
    for piece in _chunks(source, limits):
        total += len(piece)
        if total > limits.max_unpacked_bytes or too_tight(total, packed, limits):
            raise DocumentError(
                "too_large",
                f"The file unpacks to more than {total // 1_000_000:,} MB, which is more than is read.",
                "A normal document never packs this tightly: check where the file comes from.",
            )
        pieces.append(piece)
    return b"".join(pieces)


def _chunks(source: Source, limits: Limits) -> Iterator[bytes]:
    """What is inside, piece by piece; several packed files one after the other count as one, as the format says."""
    with source.open() as stream:
        engine = zlib.decompressobj(_GZIP)
        waiting = stream.read(_CHUNK)
        members = 1
        while waiting:
            try:
                data = engine.decompress(waiting, _CHUNK)
            except zlib.error as failure:
                raise _damaged("it cannot be unpacked") from failure
            if data:
                yield data
            if engine.eof:
                # Some programs fill the last block up with zeros.
                waiting = (engine.unused_data or stream.read(_CHUNK)).lstrip(b"\x00")
                engine = zlib.decompressobj(_GZIP) if waiting else engine
                members += 1
                if members > limits.max_zip_entries:
                    raise DocumentError(
                        "too_large", "The file is packed in far too many pieces.", "Unpack it and add what is inside."
                    )
            else:
                waiting = engine.unconsumed_tail or stream.read(_CHUNK)
        if not engine.eof:
            raise _damaged("it ends early")


def _damaged(cause: str) -> DocumentError:
    return DocumentError(
        "unreadable", f"The packed file is damaged: {cause}.", "It may be an unfinished download: get it again."
    )
