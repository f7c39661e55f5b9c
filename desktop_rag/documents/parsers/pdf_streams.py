"""Streams of a PDF that would unpack to far more than a page needs: told before pdfium unpacks them in one go.

Only long streams are looked at, and of them only those whose beginning packs more tightly than any text: the others
stay small however they are packed. Pictures are left out: white paper packs tightly, and they are drawn in bands.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator

from desktop_rag.documents.source import Source
from desktop_rag.errors import DocumentError

_STREAM = re.compile(rb"stream\r?\n")
_IMAGE = re.compile(rb"/Subtype\s*/Image")
_FLATE = re.compile(rb"/(?:FlateDecode|Fl)\b")
_TEXT_CODED = re.compile(rb"/(?:ASCII85Decode|A85)\b")
_DICTIONARY = 1000
_LONG = 40_000
"""Packed bytes below which a stream can hold no more than some forty megabytes."""
_TIGHT = 60
"""How many times smaller than its content the beginning of a suspicious stream is."""
_MOST = 64_000_000
"""Bytes a stream may unpack to; the drawing of a large map takes twenty."""
_STEP = 1_000_000


def check(source: Source) -> None:
    """Raise DocumentError "too_large" for a file with such a stream."""
    with source.open() as stream:
        data = stream.read()
    if any(_unpacks_beyond(packed, twice) for packed, twice in _long_streams(data)):
        raise DocumentError(
            "too_large",
            f"A page of the PDF would unpack to more than {_MOST // 1_000_000} MB.",
            "A normal page never packs this tightly: check where the file comes from.",
        )


def _long_streams(data: bytes) -> Iterator[tuple[bytes, bool]]:
    """(a packed stream, whether it is packed twice) for those that could hold very much."""
    at = 0
    while match := _STREAM.search(data, at):
        start = match.end()
        end = data.find(b"endstream", start)
        end = len(data) if end < 0 else end
        at = max(end + len(b"endstream"), start)
        before = data[max(0, match.start() - _DICTIONARY) : match.start()]
        described = before[before.rfind(b" obj") + 1 :]
        filters = len(_FLATE.findall(described))
        if not filters or (end - start < _LONG and filters == 1) or _IMAGE.search(described):
            continue
        packed = data[start:end]
        yield (_decoded(packed) if _TEXT_CODED.search(described) else packed), filters > 1


def _decoded(coded: bytes) -> bytes:
    try:
        return base64.a85decode(coded.rstrip().removesuffix(b"~>"), ignorechars=b" \t\n\r\v\x00\x0c")
    except ValueError:
        return coded


def _unpacks_beyond(packed: bytes, twice: bool) -> bool:
    """Whether a stream unpacks to more than it may; the content is looked at piece by piece and not kept."""
    unpacker, inner = zlib.decompressobj(), zlib.decompressobj()
    total = 0
    try:
        piece = unpacker.decompress(packed, _STEP)
        if not twice and len(piece) < _TIGHT * (len(packed) - len(unpacker.unconsumed_tail)):
            return False
        while piece and total <= _MOST:
            total += _inner_length(inner, piece) if twice else len(piece)
            piece = unpacker.decompress(unpacker.unconsumed_tail, _STEP)
    except zlib.error:
        # A damaged stream: pdfium keeps what came before, as this does.
        return total > _MOST
    return total > _MOST


def _inner_length(unpacker: zlib._Decompress, packed: bytes) -> int:
    length = 0
    while packed and length <= _MOST:
        length += len(unpacker.decompress(packed, _STEP))
        packed = unpacker.unconsumed_tail
    return length
