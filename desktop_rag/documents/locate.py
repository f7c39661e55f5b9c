"""Where a passage stands on a PDF page: rectangles to highlight, for offsets in Page.text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from desktop_rag.documents.model import Box
from desktop_rag.documents.parsers.pdf_geometry import CharBoxes, view
from desktop_rag.documents.parsers.pdf_open import PdfiumError, opened
from desktop_rag.documents.parsers.pdf_text import page_text
from desktop_rag.errors import DocumentError

_Rectangle = tuple[float, float, float, float]


def boxes(
    path: Path, page_number: int, start: int, end: int, password: str | None = None
) -> tuple[list[Box], tuple[float, float]]:
    """Rectangles, one for each line of `text[start:end]` of page `page_number` (from 1), and the page's size.

    In points from the top left of the page as displayed, with its rotation and crop box. Raises DocumentError
    "not_found" for a page or file that is not there, "encrypted" or "unreadable".
    """
    try:
        with opened(path, password) as document:
            if not 1 <= page_number <= len(document):
                raise DocumentError("not_found", f"The PDF has no page {page_number}.", "The file may have changed.")
            page = document[page_number - 1]
            shown = view(page)
            textpage = page.get_textpage()
            found = page_text(textpage)
            chars = CharBoxes(textpage, shown)
            inked = (
                chars.box(found.character(offset))
                for offset in range(max(0, start), min(end, len(found.text)))
                if not found.text[offset].isspace()
            )
            lines = [Box(x0, y0, x1 - x0, y1 - y0) for x0, y0, x1, y1 in _merged(inked)]
            return lines, shown.size
    except FileNotFoundError as failure:
        raise DocumentError(
            "not_found", "The file is not there any more.", "It may have been moved, renamed or deleted."
        ) from failure
    except (OSError, PdfiumError) as failure:
        raise DocumentError("unreadable", "The page could not be opened.", "The file may be damaged.") from failure


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
