"""PDF through pdfium: one page at a time, so that no file size decides on the memory needed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import BLANK, KNOWN, DocumentInfo, Page, UnreadPage
from desktop_rag.documents.parsers.pdf_layout import Layout, rows_on_one_line
from desktop_rag.documents.parsers.pdf_legible import is_garbled
from desktop_rag.documents.parsers.pdf_notes import open_form, with_notes
from desktop_rag.documents.parsers.pdf_open import PdfiumError, opened
from desktop_rag.documents.parsers.pdf_picture import is_broken, is_empty, pictures, rendered
from desktop_rag.documents.parsers.pdf_streams import check as check_streams
from desktop_rag.documents.parsers.pdf_text import page_text
from desktop_rag.documents.pictures import DAMAGED, NO_TEXT, read_picture
from desktop_rag.documents.source import Source, stem
from desktop_rag.errors import DocumentError

GARBLED = "the text of this page is garbled in the file"
# A page with fewer letters and digits than this over a large picture says nothing of what is on it.
_STAMP = 12
_SPARSE = 200


def parse(source: Source, *, limits: Limits, password: str | None = None) -> Iterator[DocumentInfo | Page | UnreadPage]:
    """Every page in order, those without usable text read from their picture; what cannot be read is an UnreadPage."""
    check_streams(source)
    with opened(source, password) as document:
        count = len(document)
        if count > limits.max_pages:
            raise DocumentError(
                "too_large",
                f"The PDF has {count:,} pages; at most {limits.max_pages:,} are read.",
                "Split it into parts and add those.",
            )
        yield DocumentInfo("pdf", _title(document) or stem(source), count)
        open_form(document)
        layout = Layout()
        for index in range(count):
            yield _page(source, document, index, layout, limits)


def unusable(page: Any, text: str) -> str | None:
    """Why the text that stands in the file is not that of the page; None if it is, or may be."""
    if len(text) < _SPARSE and _is_picture(page, text):
        return NO_TEXT
    return GARBLED if is_garbled(text) else None


def _page(source: Source, document: Any, index: int, layout: Layout, limits: Limits) -> Page | UnreadPage:
    try:
        page = document[index]
    except PdfiumError:
        return UnreadPage(index + 1, None, DAMAGED)
    try:
        textpage = page.get_textpage()
    except PdfiumError:
        page.close()
        return UnreadPage(index + 1, None, DAMAGED)
    try:
        found = page_text(textpage)
        cause = unusable(page, found.text)
        if cause is None:
            blocks = layout.blocks(textpage, found)
            return with_notes(Page(index + 1, None, rows_on_one_line(found.text, blocks), blocks), page)
        read = _from_picture(page, index + 1, cause, limits)
        if isinstance(read, Page):
            return with_notes(read, page)
        return _blank(source, document, page, read) if read.cause == BLANK else read
    finally:
        textpage.close()
        page.close()


def _from_picture(page: Any, number: int, cause: str, limits: Limits) -> Page | UnreadPage:
    if is_empty(page):
        return UnreadPage(number, None, BLANK)
    if number in limits.known:
        return UnreadPage(number, None, KNOWN)
    if not limits.recognise:
        return UnreadPage(number, None, cause)
    try:
        picture = rendered(page)
    except PdfiumError:
        return UnreadPage(number, None, DAMAGED)
    return read_picture(picture, number)


def _blank(source: Source, document: Any, page: Any, read: UnreadPage) -> Page | UnreadPage:
    """A page that shows nothing: it may hold notes or a filled-in form, or have lost what was on it."""
    noted = with_notes(Page(read.number, None, ""), page)
    if noted.text:
        return noted
    return UnreadPage(read.number, None, DAMAGED) if is_broken(source, document, page) else read


def _is_picture(page: Any, text: str) -> bool:
    """Whether a page with next to no text is one without words, or a picture of a page with a stamp on it."""
    letters = sum(map(str.isalnum, text))
    if letters >= _STAMP:
        return False
    if not letters:
        return True
    width, height = page.get_size()
    for picture in pictures(page):
        left, bottom, right, top = picture.get_bounds()
        if (right - left) * (top - bottom) > 0.5 * width * height:
            return True
    return False


def _title(document: Any) -> str:
    try:
        return " ".join(document.get_metadata_value("Title").split())
    except UnicodeDecodeError:
        return ""
