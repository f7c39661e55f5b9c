"""Where a passage stands on a page of a PDF or a picture: rectangles to highlight, for offsets in Page.text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from desktop_rag.documents.formats import detect
from desktop_rag.documents.limits import DEFAULT_LIMITS
from desktop_rag.documents.model import Box
from desktop_rag.documents.source import Source
from desktop_rag.errors import DocumentError

_Rectangle = tuple[float, float, float, float]
_Located = tuple[list[Box], tuple[float, float]]


def boxes(source: Source, page_number: int, start: int, end: int, password: str | None = None) -> _Located:
    """Rectangles, one for each line of `text[start:end]` of page `page_number` (from 1), and the page's size.

    In points from the top left of the page as displayed, with its rotation and crop box; a picture has 96 dots per
    inch. A page without text is recognised again, which takes seconds. Raises DocumentError "not_found" for a page
    or file that is not there, "encrypted" or "unreadable".
    """
    try:
        if detect(source) == "image":
            return _on_picture(source, page_number, start, end)
        return _on_pdf(source, page_number, start, end, password)
    except FileNotFoundError as failure:
        raise DocumentError(
            "not_found", "The file is not there any more.", "It may have been moved, renamed or deleted."
        ) from failure
    except OSError as failure:
        raise _unopened() from failure


def _on_picture(source: Source, page_number: int, start: int, end: int) -> _Located:
    from desktop_rag.documents.parsers.image import POINTS_PER_PIXEL, frames, opened, picture_of
    from desktop_rag.documents.pictures import recognised

    with opened(source, DEFAULT_LIMITS) as image:
        if not 1 <= page_number <= frames(image):
            raise _no_page(page_number)
        picture, (width, height) = picture_of(image, page_number - 1)
    size = width * POINTS_PER_PIXEL, height * POINTS_PER_PIXEL
    found = recognised(picture)
    return found.boxes(start, end, _scale(size, picture)) if found else [], size


def _on_pdf(source: Source, page_number: int, start: int, end: int, password: str | None) -> _Located:
    from desktop_rag.documents.parsers.pdf_open import PdfiumError, opened

    try:
        with opened(source, password) as document:
            if not 1 <= page_number <= len(document):
                raise _no_page(page_number)
            return _on_page(document[page_number - 1], start, end)
    except PdfiumError as failure:
        raise _unopened() from failure


def _on_page(page: Any, start: int, end: int) -> _Located:
    from desktop_rag.documents.parsers.pdf import unusable
    from desktop_rag.documents.parsers.pdf_geometry import CharBoxes, view
    from desktop_rag.documents.parsers.pdf_picture import rendered
    from desktop_rag.documents.parsers.pdf_text import page_text
    from desktop_rag.documents.pictures import recognised

    shown = view(page)
    textpage = page.get_textpage()
    found = page_text(textpage)
    if unusable(page, found.text):
        picture = rendered(page)
        read = recognised(picture)
        return read.boxes(start, end, _scale(shown.size, picture)) if read else [], shown.size
    chars = CharBoxes(textpage, shown)
    inked = (
        chars.box(found.character(offset))
        for offset in range(max(0, start), min(end, len(found.text)))
        if not found.text[offset].isspace()
    )
    return [Box(x0, y0, x1 - x0, y1 - y0) for x0, y0, x1, y1 in _merged(inked)], shown.size


def _scale(size: tuple[float, float], picture: Any) -> tuple[float, float]:
    """Points for each dot across and down."""
    return size[0] / picture.shape[1], size[1] / picture.shape[0]


def _no_page(number: int) -> DocumentError:
    return DocumentError("not_found", f"The file has no page {number}.", "It may have changed.")


def _unopened() -> DocumentError:
    return DocumentError("unreadable", "The page could not be opened.", "The file may be damaged.")


def _merged(characters: Iterator[_Rectangle]) -> Iterator[_Rectangle]:
    """Unite the boxes of successive characters as long as they stand side by side on one line."""
    line: _Rectangle | None = None
    for box in characters:
        if box[2] <= box[0] or box[3] <= box[1]:
            continue
        if line is not None and _beside(line, box):
            line = min(line[0], box[0]), min(line[1], box[1]), max(line[2], box[2]), max(line[3], box[3])
        else:
            if line is not None:
                yield line
            line = box
    if line is not None:
        yield line


def _beside(line: _Rectangle, box: _Rectangle) -> bool:
    """Whether both overlap by half of the lower one's height, no further apart than three such heights."""
    height = min(line[3] - line[1], box[3] - box[1])
    overlap = min(line[3], box[3]) - max(line[1], box[1])
    gap = max(line[0], box[0]) - min(line[2], box[2])
    return overlap > 0.5 * height and gap < 3 * height
