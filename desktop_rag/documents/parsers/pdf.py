"""PDF through pdfium: one page at a time, so that no file size decides on the memory needed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdfium2.raw as raw  # type: ignore[import-untyped]

from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo, Page, UnreadPage
from desktop_rag.documents.parsers.pdf_layout import Layout
from desktop_rag.documents.parsers.pdf_open import PdfiumError, opened
from desktop_rag.documents.parsers.pdf_text import page_text
from desktop_rag.errors import DocumentError

NO_TEXT = "no text on this page (a scan?)"
DAMAGED = "this page is damaged"
# A page with fewer letters and digits than this over a large picture says nothing of what is on it.
_STAMP = 12
_SPARSE = 200


def parse(path: Path, *, limits: Limits, password: str | None = None) -> Iterator[DocumentInfo | Page | UnreadPage]:
    """Every page in order; a page without any letter or digit, or one pdfium cannot load, comes as UnreadPage."""
    with opened(path, password) as document:
        count = len(document)
        if count > limits.max_pages:
            raise DocumentError(
                "too_large",
                f"The PDF has {count:,} pages; at most {limits.max_pages:,} are read.",
                "Split it into parts and add those.",
            )
        yield DocumentInfo("pdf", _title(document) or path.stem, count)
        layout = Layout()
        for index in range(count):
            yield _page(document, index, layout)


def _page(document: Any, index: int, layout: Layout) -> Page | UnreadPage:
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
        if len(found.text) < _SPARSE and _is_picture(page, found.text):
            return UnreadPage(index + 1, None, NO_TEXT)
        return Page(index + 1, None, found.text, layout.blocks(textpage, found))
    finally:
        textpage.close()
        page.close()


def _is_picture(page: Any, text: str) -> bool:
    """Whether a page with next to no text is one without words, or a picture of a page with a stamp on it."""
    letters = sum(map(str.isalnum, text))
    if letters >= _STAMP:
        return False
    if not letters:
        return True
    width, height = page.get_size()
    for picture in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=2):
        left, bottom, right, top = picture.get_bounds()
        if (right - left) * (top - bottom) > 0.5 * width * height:
            return True
    return False


def _title(document: Any) -> str:
    try:
        return " ".join(document.get_metadata_value("Title").split())
    except UnicodeDecodeError:
        return ""
