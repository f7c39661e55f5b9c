"""Paragraphs, list items and headings of a PDF page, from where its lines begin and how tall they are.

Only the first character of each line is measured (and of a likely heading the last one too), so
that reading stays about as fast as pdfium itself. What the rules get wrong costs a chunk boundary,
never a character.
"""

from __future__ import annotations

import ctypes
import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

from desktop_rag.documents.model import Block
from desktop_rag.documents.parsers.pdf_geometry import CharBoxes, View
from desktop_rag.documents.parsers.pdf_text import PageText

_LINE = re.compile(r"[^\n]+")
_BULLET = re.compile(r"(?:[•‣▪◦●·–—*-]|\(?\d{1,2}[.)]|\(?[a-z]\))\s")
_LABEL = re.compile(r"\(?[A-Z][.)]\s")
_HEAVY = re.compile(rb"bold|black|heavy", re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]")
_MAX_HEADING = 200
_MAX_BOLD_HEADING = 90
_LARGER = 1.12


class _Line(NamedTuple):
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


class Layout:
    """Finds the blocks of a document's pages in order; the body's size of type is learnt on the way."""

    def __init__(self) -> None:
        self._sizes: Counter[int] = Counter()

    def blocks(self, textpage: Any, page: PageText) -> tuple[Block, ...]:
        """Blocks of one page; none if its text runs askew, which tells nothing about paragraphs."""
        turns = _turns(textpage, page)
        if turns is None:
            return ()
        # The page is looked at the way its text runs, whichever way it is displayed.
        boxes = CharBoxes(textpage, View(0, 0, 0, 0, turns))
        lines = _lines(page, boxes)
        for line in lines:
            self._sizes[_half_points(line.height)] += line.end - line.start
        body = self._sizes.most_common(1)[0][0] / 2 if lines else 1.0
        return tuple(self._block(textpage, page, group, body, boxes) for group in _groups(page.text, lines))

    def _block(self, textpage: Any, page: PageText, lines: Sequence[_Line], body: float, boxes: CharBoxes) -> Block:
        start, end = lines[0].start, lines[-1].end
        level = 0
        if end - start <= _MAX_HEADING and len(lines) <= 3 and _LETTER.search(page.text, start, end):
            level = self._heading_level(textpage, page, lines, body, boxes)
        if level:
            return Block("heading", start, end, level)
        return Block("list" if _BULLET.match(page.text, start) else "paragraph", start, end)

    def _heading_level(
        self, textpage: Any, page: PageText, lines: Sequence[_Line], body: float, boxes: CharBoxes
    ) -> int:
        """1 to 4 by size relative to the body (4: bold only), 0 if the lines are no heading."""
        start, end = lines[0].start, lines[-1].end
        if lines[0].height > body * _LARGER:
            # A large initial or a drop cap does not make its line a heading.
            _, top, _, bottom = boxes.box(page.character(end - 1))
            ratio = min(lines[0].height, bottom - top) / body
            if ratio > _LARGER:
                return 1 if ratio > 1.6 else 2 if ratio > 1.3 else 3
        if len(lines) > 1 or end - start > _MAX_BOLD_HEADING or page.text[end - 1] in ".,;:":
            return 0
        return 4 if all(_bold(textpage, page.character(offset)) for offset in (start, end - 1)) else 0


def _lines(page: PageText, boxes: CharBoxes) -> list[_Line]:
    found: list[_Line] = []
    for match in _LINE.finditer(page.text):
        text = match.group()
        bare = text.strip()
        if not bare:
            continue
        start = match.start() + len(text) - len(text.lstrip())
        end = start + len(bare)
        character = page.character(start)
        left, top, _, bottom = boxes.box(character)
        foot = bottom
        if page.character(end - 1) - character > end - 1 - start:
            foot = max(bottom, boxes.box(page.character(end - 1))[3])
        line = _Line(start, end, left, bottom, bottom - top, foot)
        if found and _continues(found[-1], line):
            line = _united(found.pop(), line)
        found.append(line)
    return found


def _continues(last: _Line, line: _Line) -> bool:
    """Whether pdfium parted what stands on one line, as it does around superscripts and wide gaps."""
    return abs(line.bottom - last.foot) < 0.5 * max(line.height, last.height) and line.left > last.left


def _united(last: _Line, line: _Line) -> _Line:
    main = line if line.height > 1.15 * last.height else last
    foot = max(last.foot, line.foot) if main is last else line.foot
    return _Line(last.start, line.end, last.left, main.bottom, main.height, foot)


def _groups(text: str, lines: Sequence[_Line]) -> list[list[_Line]]:
    steps = [below.bottom - above.foot for above, below in pairwise(lines)]
    # A low quartile: on a page of short paragraphs most steps are already gaps between them.
    real = sorted(step for step, line in zip(steps, lines, strict=False) if step > 0.6 * line.height)
    usual = real[len(real) // 4] if real else 12.0
    groups = [[line] for line in lines[:1]]
    for index, line in enumerate(lines[1:], start=1):
        following = lines[index + 1] if index + 1 < len(lines) else None
        if _begins(text, groups[-1], line, following, steps[index - 1], usual):
            groups.append([line])
        else:
            groups[-1].append(line)
    return groups


def _begins(text: str, group: Sequence[_Line], line: _Line, following: _Line | None, step: float, usual: float) -> bool:
    """Whether `line` begins a new block after `group`."""
    last = group[-1]
    taller, smaller = max(last.height, line.height), min(last.height, line.height)
    if taller > smaller * 1.15 and taller - smaller > 0.8:
        return True
    # Large type is set wider than the body's usual step.
    loosest = (1.45 if line.height > usual else 1.2) * line.height
    if step < -0.5 * line.height or step > max(1.3 * usual, loosest):
        return True
    if _BULLET.match(text, line.start):
        return True
    indent = line.left - last.left
    hanging = len(group) == 1 and (_BULLET.match(text, last.start) or _LABEL.match(text, last.start))
    returns = following is not None and abs(following.left - last.left) < 0.3 * line.height
    return 0.7 * line.height < indent < 6 * line.height and returns and not hanging


def _half_points(height: float) -> int:
    return max(1, round(height * 2))


def _turns(textpage: Any, page: PageText) -> int | None:
    """Clockwise quarter turns that set the text upright, judged by a character in its middle; None if askew."""
    middle = next((at for at in range(len(page.text) // 2, len(page.text)) if page.text[at].isalnum()), 0)
    quarters = pdfium.FPDFText_GetCharAngle(textpage, page.character(middle)) / (math.pi / 2)
    # pdfium measures the angle clockwise, so the page has to be turned the other way.
    return -round(quarters) % 4 if abs(quarters - round(quarters)) < 0.1 else None


def _bold(textpage: Any, character: int) -> bool:
    """By the font's name first: the weight is unknown for fonts that do not lie in the file."""
    name = ctypes.create_string_buffer(80)
    flags = ctypes.c_int()
    length = pdfium.FPDFText_GetFontInfo(textpage, character, name, len(name), flags)
    if 0 < length <= len(name) and _HEAVY.search(name.value):
        return True
    return bool(pdfium.FPDFText_GetFontWeight(textpage, character) >= 600)
