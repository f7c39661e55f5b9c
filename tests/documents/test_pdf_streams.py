"""Streams that unpack to absurd sizes are refused before pdfium sees them; ordinary ones are not."""

from __future__ import annotations

import base64
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from desktop_rag.documents.parsers.pdf_streams import check
from desktop_rag.documents.read import read
from desktop_rag.documents.source import MemorySource
from desktop_rag.errors import DocumentError

Pdf = Callable[..., Path]
WORDS = b"BT /F 9 Tf 9 9 Td (a) Tj ET\n"


def pdf(filters: bytes, packed: bytes) -> bytes:
    return b"%%PDF-1.5\n4 0 obj<</Filter%s/Length %d>>stream\n%s\nendstream endobj\n" % (filters, len(packed), packed)


def packed(size: int) -> bytes:
    return zlib.compress(WORDS * (size // len(WORDS)))


@pytest.mark.parametrize(
    ("filters", "content"),
    [
        (b"/FlateDecode", packed(90_000_000)),
        (b"[/Fl]", packed(90_000_000)),
        (b"[/ASCII85Decode/FlateDecode]", base64.a85encode(packed(90_000_000)) + b"~>"),
        (b"[/FlateDecode /FlateDecode]", zlib.compress(packed(90_000_000))),
    ],
)
def test_a_bomb_is_refused_at_once(tmp_path: Path, filters: bytes, content: bytes) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf(filters, content))
    began = time.monotonic()
    with pytest.raises(DocumentError) as raised:
        list(read(path))
    assert raised.value.code == "too_large"
    assert time.monotonic() - began < 3.0


@pytest.mark.parametrize(
    "data",
    [
        pdf(b"/FlateDecode", packed(30_000_000)),
        pdf(b"/Subtype /Image/FlateDecode", packed(90_000_000)),
        pdf(b"/FlateDecode", b"x" * 100_000),
        pdf(b"/FlateDecode", packed(90_000_000)[:50_000]),
        b"%PDF-1.5 stream\nstream\nendstream stream\n",
        b"",
    ],
)
def test_what_is_large_damaged_or_a_picture_passes(data: bytes) -> None:
    check(MemorySource("a.pdf", data))


def test_a_long_drawing_passes(make_pdf: Pdf) -> None:
    def draw(canvas: Canvas) -> None:
        for number in range(60_000):
            canvas.line(number % 600, number % 790, number % 599, number % 788)

    path = make_pdf(draw, pageCompression=1)
    check(MemorySource("a.pdf", path.read_bytes()))
