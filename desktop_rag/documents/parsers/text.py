"""Plain text in any encoding: paragraphs at blank lines, pages at form feeds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from desktop_rag.documents.encodings import decode
from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import Block, DocumentInfo, Page
from desktop_rag.documents.paragraphs import paragraphs
from desktop_rag.errors import DocumentError


def parse(path: Path, *, limits: Limits, password: str | None = None) -> Iterator[DocumentInfo | Page]:
    """One page for the whole file, or one for each part between form feeds that holds anything."""
    text, encoding = decode(read_bytes(path, limits))
    parts = text.split("\f")
    numbered = sum(bool(part.strip()) for part in parts) > 1
    yield DocumentInfo("text", path.stem, len(parts) if numbered else None, {"encoding": encoding})
    for index, part in enumerate(parts):
        if part.strip():
            blocks = tuple(Block("paragraph", start, end) for start, end in paragraphs(part))
            yield Page(index + 1 if numbered else None, None, part, blocks)


def read_bytes(path: Path, limits: Limits) -> bytes:
    """The whole file, for formats that cannot be read bit by bit; "too_large" beyond what memory should hold."""
    with path.open("rb") as stream:
        data = stream.read(limits.max_text_bytes + 1)
    if len(data) > limits.max_text_bytes:
        raise DocumentError(
            "too_large",
            f"The file is larger than the {limits.max_text_bytes // 1_000_000} MB of text that are read at once.",
            "Split it into smaller files and add those.",
        )
    return data
