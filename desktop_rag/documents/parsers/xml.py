"""XML of any vocabulary: the text of its elements in order, without the markup."""

from __future__ import annotations

from collections.abc import Iterator

from desktop_rag.documents.composer import Composer
from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo, Page
from desktop_rag.documents.parsers import text
from desktop_rag.documents.parsers.html import Flattener
from desktop_rag.documents.parsers.markup import parse_xml
from desktop_rag.documents.source import Source, read_bytes, stem
from desktop_rag.errors import DocumentError


def parse(source: Source, *, limits: Limits, password: str | None = None) -> Iterator[DocumentInfo | Page]:
    """One page without number; elements called like those of HTML are understood like them."""
    try:
        root = parse_xml(read_bytes(source, limits), "its markup")
    except DocumentError:
        # Not well-formed: what there is can still be read, with its tags.
        yield from text.parse(source, limits=limits, password=password)
        return
    yield DocumentInfo("xml", " ".join((root.findtext(".//title") or "").split()) or stem(source), None)
    composer = Composer()
    Flattener(composer).feed(root)
    if composer.length:
        yield composer.page()
