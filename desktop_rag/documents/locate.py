"""Where a passage stands on a page of a PDF or a picture: rectangles to highlight, for offsets in Page.text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from desktop_rag.documents.formats import detect
from desktop_rag.documents.limits import DEFAULT_LIMITS
from desktop_rag.documents.model import Box
from desktop_rag.documents.page_images import Size, check_page, errors_said
from desktop_rag.documents.source import Source

if TYPE_CHECKING:
    from desktop_rag.documents.parsers.pdf_geometry import View
    from desktop_rag.documents.parsers.pdf_text import PageText

Range = tuple[int, int]
_Rectangle = tuple[float, float, float, float]
_Located = tuple[list[list[Box]], Size]


def boxes(
    source: Source, page_number: int, start: int, end: int, password: str | None = None
) -> tuple[list[Box], Size]:
    """The rectangles of `text[start:end]` of page `page_number` (from 1), and the page's size: see `boxes_of_all`."""
    (found,), size = boxes_of_all(source, page_number, [(start, end)], password)
    return found, size


def boxes_of_all(source: Source, page_number: int, ranges: Sequence[Range], password: str | None = None) -> _Located:
    """For each range of the text of page `page_number` (from 1) a rectangle for each of its lines; the page's size.

    In points from the top left of the page as displayed, with its rotation and crop box; a picture has 96 dots per
    inch. A page without text is recognised again, which takes seconds. Raises DocumentError "not_found" for a page
    or file that is not there, "encrypted" or "unreadable".
    """
    with errors_said():
        if detect(source) == "image":
            return _on_picture(source, page_number, ranges)
        return _on_pdf(source, page_number, ranges, password)


def _on_picture(source: Source, page_number: int, ranges: Sequence[Range]) -> _Located:
    from desktop_rag.documents.parsers.image import POINTS_PER_PIXEL, frames, opened, picture_of
    from desktop_rag.documents.pictures import recognised

    with opened(source, DEFAULT_LIMITS) as image:
        check_page(page_number, frames(image))
        picture, (width, height) = picture_of(image, page_number - 1)
    size = width * POINTS_PER_PIXEL, height * POINTS_PER_PIXEL
    found = recognised(picture)
    scale = _scale(size, picture)
    return [found.boxes(start, end, scale) if found else [] for start, end in ranges], size


def _on_pdf(source: Source, page_number: int, ranges: Sequence[Range], password: str | None) -> _Located:
    from desktop_rag.documents.parsers.pdf_notes import open_form
    from desktop_rag.documents.parsers.pdf_open import opened

    with opened(source, password) as document:
        check_page(page_number, len(document))
        open_form(document)
        return _on_page(document[page_number - 1], ranges)


def _on_page(page: Any, ranges: Sequence[Range]) -> _Located:
    from desktop_rag.documents.parsers.pdf import unusable
    from desktop_rag.documents.parsers.pdf_geometry import view
    from desktop_rag.documents.parsers.pdf_picture import is_empty, rendered
    from desktop_rag.documents.parsers.pdf_text import page_text
    from desktop_rag.documents.pictures import recognised

    shown = view(page)
    textpage = page.get_textpage()
    found = page_text(textpage)
    if not unusable(page, found.text):
        inked = _on_text(textpage, found, shown, ranges)
        return _with_notes(inked, page, shown, found.text, ranges), shown.size
    picture = None if is_empty(page) else rendered(page)
    read = None if picture is None else recognised(picture)
    if picture is None or read is None:
        return _with_notes([[] for _ in ranges], page, shown, "", ranges), shown.size
    scale = _scale(shown.size, picture)
    lines = [read.boxes(start, end, scale) for start, end in ranges]
    return _with_notes(lines, page, shown, read.text, ranges), shown.size


def _on_text(textpage: Any, found: PageText, shown: View, ranges: Sequence[Range]) -> list[list[Box]]:
    from desktop_rag.documents.parsers.pdf_geometry import CharBoxes

    chars = CharBoxes(textpage, shown)

    def inked(start: int, end: int) -> Iterator[_Rectangle]:
        for offset in range(max(0, start), min(end, len(found.text))):
            if not found.text[offset].isspace():
                yield chars.box(found.character(offset))

    return [[Box(x0, y0, x1 - x0, y1 - y0) for x0, y0, x1, y1 in _merged(inked(*place))] for place in ranges]


def _with_notes(
    inked: Sequence[list[Box]], page: Any, shown: View, text: str, ranges: Sequence[Range]
) -> list[list[Box]]:
    """The boxes on the page with those of its fields and notes, whose words follow the page's own text."""
    from desktop_rag.documents.parsers.pdf_notes import notes, notes_start

    before = notes_start(text)
    if all(end <= before for _, end in ranges):
        return list(inked)
    added, places = notes(page)
    told = [
        (before + block.start, before + block.end, shown.place(*place))
        for block, place in zip(added.blocks, places, strict=True)
    ]
    return [
        boxes
        + [Box(x0, y0, x1 - x0, y1 - y0) for first, last, (x0, y0, x1, y1) in told if start < last and first < end]
        for boxes, (start, end) in zip(inked, ranges, strict=True)
    ]


def _scale(size: tuple[float, float], picture: Any) -> tuple[float, float]:
    """Points for each dot across and down."""
    return size[0] / picture.shape[1], size[1] / picture.shape[0]


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
