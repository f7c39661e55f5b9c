"""The lines of text on a PDF page, and where they begin; as few characters are measured as will do, for speed."""

from __future__ import annotations

import re
from typing import NamedTuple

from desktop_rag.documents.parsers.pdf_geometry import CharBoxes
from desktop_rag.documents.parsers.pdf_text import PageText

_LINE = re.compile(r"\S[^\n]*")


class Line(NamedTuple):
    """A line of text: its offsets, where its first character stands and how tall that is.

    `foot` is the bottom of its last character, one line lower than `bottom` where a word broken at
    the line end was made whole.
    """

    start: int
    end: int
    left: float
    bottom: float
    height: float
    foot: float


def lines_of(page: PageText, boxes: CharBoxes) -> list[Line]:
    """The lines of a page that hold a sign, in the order of its text."""
    characters, box = page.characters, boxes.box
    found: list[Line] = []
    for match in _LINE.finditer(page.text):
        start = match.start()
        end = start + len(match[0].rstrip())
        first, last = characters(start, end)
        left, top, _, bottom = box(first)
        foot = bottom
        if last - first >= end - start:
            foot = max(bottom, box(last)[3])
        line = Line(start, end, left, bottom, bottom - top, foot)
        if found and _continues(found[-1], line):
            line = _united(found.pop(), line)
        found.append(line)
    return found


def _continues(last: Line, line: Line) -> bool:
    """Whether pdfium parted what stands on one line, as it does around superscripts and wide gaps."""
    return abs(line.bottom - last.foot) < 0.5 * max(line.height, last.height) and line.left > last.left


def _united(last: Line, line: Line) -> Line:
    main = line if line.height > 1.15 * last.height else last
    foot = max(last.foot, line.foot) if main is last else line.foot
    return Line(last.start, line.end, last.left, main.bottom, main.height, foot)
