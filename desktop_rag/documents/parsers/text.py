"""Plain text in any encoding: paragraphs at blank lines, pages at form feeds."""

from __future__ import annotations

from collections.abc import Iterator

from desktop_rag.documents.encodings import decode
from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import Block, BlockKind, DocumentInfo, Page
from desktop_rag.documents.paragraphs import paragraphs
from desktop_rag.documents.source import Source, read_bytes, stem, suffix

_CODE = frozenset(
    ".py .pyi .js .mjs .ts .tsx .jsx .java .kt .c .h .cc .cpp .hpp .cs .go .rs .rb .php .pl .r .jl .swift .scala .lua "
    ".sql .sh .bash .zsh .ps1 .bat .css .scss .diff .patch .yaml .yml .toml .ini .cfg .conf .properties".split()
)


def parse(source: Source, *, limits: Limits, password: str | None = None) -> Iterator[DocumentInfo | Page]:
    """One page for the whole file, or one for each part between form feeds that holds anything."""
    text, encoding = decode(read_bytes(source, limits))
    parts = text.split("\f")
    numbered = sum(bool(part.strip()) for part in parts) > 1
    kind: BlockKind = "code" if suffix(source) in _CODE else "paragraph"
    yield DocumentInfo("text", stem(source), len(parts) if numbered else None, {"encoding": encoding})
    for index, part in enumerate(parts):
        if part.strip():
            blocks = tuple(Block(kind, start, end) for start, end in paragraphs(part))
            yield Page(index + 1 if numbered else None, None, part, blocks)
