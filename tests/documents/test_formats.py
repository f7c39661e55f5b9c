"""What a file is, told by its first bytes."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from desktop_rag.documents.formats import detect
from desktop_rag.documents.source import MemorySource


@pytest.mark.parametrize("kind", ["TIFF", "BMP"])
@pytest.mark.parametrize("mode", ["L", "RGB", "1"])
def test_a_white_page_that_is_not_compressed_is_a_picture(kind: str, mode: str) -> None:
    stream = io.BytesIO()
    Image.new(mode, (2000, 400), "white").save(stream, kind)
    assert detect(MemorySource(f"scan.{kind.lower()}", stream.getvalue())) == "image"


@pytest.mark.parametrize("text", [b"BMW has recalled the cars.\n", b"GIF87a and GIF89a are two versions.\n"])
def test_a_text_that_begins_like_a_picture_stays_a_text(text: bytes) -> None:
    assert detect(MemorySource("note.txt", text)) == "text"
