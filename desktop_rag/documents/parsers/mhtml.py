"""Web pages saved as one file (MHTML): the page itself, without its pictures and style sheets."""

from __future__ import annotations

from collections.abc import Iterator

from desktop_rag.documents.composer import Composer
from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo, Page
from desktop_rag.documents.parsers import html, mime
from desktop_rag.documents.parsers.mail import write_text
from desktop_rag.documents.parsers.markup import parse_html
from desktop_rag.documents.source import Source, read_bytes, stem
from desktop_rag.errors import DocumentError

_PAGES = ("text/html", "application/xhtml+xml")


def parse(source: Source, *, limits: Limits, password: str | None = None) -> Iterator[DocumentInfo | Page]:
    """One page without number."""
    mail = mime.parse(read_bytes(source, limits), limits)
    parts = list(mime.leaves(mail))
    page = next((part for kind in (_PAGES, ("text/plain",)) for part in parts if part.kind in kind), None)
    if page is None:
        raise DocumentError(
            "unreadable", "There is no page in the saved web page.", "Open it in a browser and save it as PDF."
        )
    composer = Composer()
    title = ""
    if page.kind in _PAGES:
        root = parse_html(html.decoded(page.content(), page.charset)[0])
        if root is not None:
            title = " ".join((root.findtext(".//title") or "").split())
            html.Flattener(composer).feed(root)
    else:
        write_text(composer, page.text())
    yield DocumentInfo("mhtml", title or mail.header("Subject") or stem(source), None)
    if composer.length:
        yield composer.page()
