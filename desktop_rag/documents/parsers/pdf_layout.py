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
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

from desktop_rag.documents.model import Block
from desktop_rag.documents.parsers.pdf_geometry import CharBoxes, View
from desktop_rag.documents.parsers.pdf_lines import Line, lines_of
from desktop_rag.documents.parsers.pdf_tables import Table, tables
from desktop_rag.documents.parsers.pdf_text import PageText

_BULLET = re.compile(r"(?:[•‣▪◦●·–—*-]|\(?\d{1,2}[.)]|\(?[a-z]\))\s")
_LABEL = re.compile(r"\(?[A-Z][.)]\s")
_HEAVY = re.compile(rb"bold|black|heavy", re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]")
_MAX_HEADING = 200
_MAX_BOLD_HEADING = 90
_LARGER = 1.12


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
        lines = lines_of(page, boxes)
        sizes = self._sizes
        for line in lines:
            sizes[max(1, round(line.height * 2))] += line.end - line.start
        body = self._sizes.most_common(1)[0][0] / 2 if lines else 1.0
        usual = _usual_step(lines)
        blocks: list[Block] = []
        at = 0
        for table in tables(page, lines, boxes, lambda line: _is_bold(textpage, page, line.start, line.end)):
            groups = _groups(page.text, lines[at : table.rows[0][0]], usual)
            blocks += (self._block(textpage, page, group, body, boxes) for group in groups)
            blocks += _rows(table, lines)
            at = table.rows[-1][1] + 1
        blocks += (self._block(textpage, page, group, body, boxes) for group in _groups(page.text, lines[at:], usual))
        return tuple(blocks)

    def _block(self, textpage: Any, page: PageText, lines: Sequence[Line], body: float, boxes: CharBoxes) -> Block:
        start, end = lines[0].start, lines[-1].end
        level = 0
        if end - start <= _MAX_HEADING and len(lines) <= 3 and _LETTER.search(page.text, start, end):
            level = self._heading_level(textpage, page, lines, body, boxes)
        if level:
            return Block("heading", start, end, level)
        return Block("list" if _BULLET.match(page.text, start) else "paragraph", start, end)

    def _heading_level(
        self, textpage: Any, page: PageText, lines: Sequence[Line], body: float, boxes: CharBoxes
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
        return 4 if _is_bold(textpage, page, start, end) else 0


def rows_on_one_line(text: str, blocks: Sequence[Block]) -> str:
    """The text of a page with a space for each line end within a row: no offset changes."""
    parts: list[str] = []
    at = 0
    for block in blocks:
        if block.kind == "row":
            parts += text[at : block.start], text[block.start : block.end].replace("\n", " ")
            at = block.end
    return "".join(parts) + text[at:]


def _rows(table: Table, lines: Sequence[Line]) -> Iterator[Block]:
    for number, (first, last) in enumerate(table.rows):
        header = "" if number < table.heads else table.header
        yield Block("row", lines[first].start, lines[last].end, header=header)


def _usual_step(lines: Sequence[Line]) -> float:
    """From one line to the next within a paragraph of the page."""
    steps = [below.bottom - above.foot for above, below in pairwise(lines)]
    # A low quartile: on a page of short paragraphs most steps are already gaps between them.
    real = sorted(step for step, line in zip(steps, lines, strict=False) if step > 0.6 * line.height)
    return real[len(real) // 4] if real else 12.0


def _groups(text: str, lines: Sequence[Line], usual: float) -> list[list[Line]]:
    groups = [[line] for line in lines[:1]]
    for index, line in enumerate(lines[1:], start=1):
        following = lines[index + 1] if index + 1 < len(lines) else None
        if _begins(text, groups[-1], line, following, line.bottom - lines[index - 1].foot, usual):
            groups.append([line])
        else:
            groups[-1].append(line)
    return groups


def _begins(text: str, group: Sequence[Line], line: Line, following: Line | None, step: float, usual: float) -> bool:
    """Whether `line` begins a new block after `group`."""
    last = group[-1]
    height = line.height
    if abs(height - last.height) > 0.8 and max(height, last.height) > min(height, last.height) * 1.15:
        return True
    # Large type is set wider than the body's usual step.
    loosest = (1.45 if height > usual else 1.2) * height
    if step < -0.5 * height or (step > loosest and step > 1.3 * usual):
        return True
    if _BULLET.match(text, line.start):
        return True
    if not 0.7 * height < line.left - last.left < 6 * height:
        return False
    hanging = len(group) == 1 and (_BULLET.match(text, last.start) or _LABEL.match(text, last.start))
    return following is not None and abs(following.left - last.left) < 0.3 * height and not hanging


def _turns(textpage: Any, page: PageText) -> int | None:
    """Clockwise quarter turns that set the text upright, judged by a character in its middle; None if askew."""
    middle = next((at for at in range(len(page.text) // 2, len(page.text)) if page.text[at].isalnum()), 0)
    quarters = pdfium.FPDFText_GetCharAngle(textpage, page.character(middle)) / (math.pi / 2)
    # pdfium measures the angle clockwise, so the page has to be turned the other way.
    return -round(quarters) % 4 if abs(quarters - round(quarters)) < 0.1 else None


def _is_bold(textpage: Any, page: PageText, start: int, end: int) -> bool:
    """Whether a short text is bold, judged by its first and its last character."""
    return all(_bold(textpage, page.character(offset)) for offset in (start, end - 1))


def _bold(textpage: Any, character: int) -> bool:
    """By the font's name first: the weight is unknown for fonts that do not lie in the file."""
    name = ctypes.create_string_buffer(80)
    flags = ctypes.c_int()
    length = pdfium.FPDFText_GetFontInfo(textpage, character, name, len(name), flags)
    if 0 < length <= len(name) and _HEAVY.search(name.value):
        return True
    return bool(pdfium.FPDFText_GetFontWeight(textpage, character) >= 600)
