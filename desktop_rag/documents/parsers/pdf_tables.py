"""Tables on a PDF page, from where its words stand: lines whose parts keep to the same columns.

A table taken for text loses its column names; text taken for a table is torn into rows. So everything doubtful stays
text: two columns of words, lists, forms, lists of contents. Only lines that are wide for their letters are looked at
word by word, which keeps reading a page of plain text as fast as it is without this.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from desktop_rag.documents.parsers.pdf_geometry import CharBoxes
from desktop_rag.documents.parsers.pdf_grid import Grid, header_rows, is_table, may_name, without_empty_columns
from desktop_rag.documents.parsers.pdf_lines import Line
from desktop_rag.documents.parsers.pdf_text import PageText

_WORD = re.compile(r"\S+")
_SIGN = re.compile(r"(?:^|(?<=\s))[$€£¥(]+\Z")
"""Stands apart from its number, at the edge of the column, and belongs to it all the same."""
_CLOSING = re.compile(r"[%)]+")
_WIDE = 1.3
"""How much wider for its characters than the page's denser lines a line with gaps is, at least."""
_WIDE_MIN, _WIDE_MAX = 0.5, 0.75
"""Width for each character in heights of the line: no line below has gaps, every line above may have; text has 0.4."""
_EVERY = 3
"""A table has so many lines at least, so that it is enough to look at every so manieth line."""
_TEXT = 40
"""Characters of a line that is plain text if it has no gaps."""
_TOLERATED = 4
"""Lines of usual width that a table may have in a row: its names on top, a cell of several lines."""
_GAP = 0.7
"""Width in heights of the line of the gap between two columns, at least; more than a space in justified text."""
_NEAR, _FAR = 1.6, 4.0
"""Heights from line to line within a cell, at most, and between two rows."""


class Cell(NamedTuple):
    """Words that stand together on a line: their edges and offsets."""

    left: float
    right: float
    start: int
    end: int


class Table(NamedTuple):
    """`rows` has the first and the last line of each row by number, `header` the names of the columns.

    The first `heads` rows are those names.
    """

    rows: list[tuple[int, int]]
    header: str
    heads: int


@dataclass(slots=True, eq=False)
class _Column:
    """Where the cells of a column stand, and what they say: row -> text."""

    left: float
    right: float
    texts: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Draft:
    """What may become a table, grown line by line; a line that does not fit ends it."""

    text: str
    columns: list[_Column] = field(default_factory=list)
    rows: list[list[int]] = field(default_factory=list)
    tops: list[float] = field(default_factory=list)

    def take(self, number: int, line: Line, last: Line | None, words: Sequence[Cell], cells: Sequence[Cell]) -> bool:
        """Add a line if its cells stand in the columns, each in one of its own."""
        places = self._places(cells)
        if places is None and len(self.rows) >= _EVERY:
            # Figures may all but touch where the columns are narrow: above and below there are gaps.
            cells = self._parted(words)
            places = self._places(cells)
        if places is None or (len(cells) == 1 and places[0] is None):
            return False
        row = self._row(line, last, cells, places)
        if row is None:
            return False
        if row == len(self.rows):
            self.rows.append([number, number])
            self.tops.append(line.bottom)
        self.rows[row][1] = number
        for cell, place in zip(cells, places, strict=True):
            column = place or _Column(cell.left, cell.right)
            if place is None:
                self.columns.append(column)
            column.left, column.right = min(column.left, cell.left), max(column.right, cell.right)
            told = " ".join(self.text[cell.start : cell.end].split())
            column.texts[row] = f"{column.texts[row]} {told}" if row in column.texts else told
        return True

    def grid(self) -> tuple[Grid, list[tuple[int, int]]]:
        """The texts of each row from left to right and the lines they stand on, without titles at either end."""
        columns = sorted(self.columns, key=lambda column: column.left)
        grid = [[column.texts.get(row, "") for column in columns] for row in range(len(self.rows))]
        full = [row for row, texts in enumerate(grid) if sum(map(bool, texts)) > 1]
        first, end = (full[0], full[-1] + 1) if full else (0, 0)
        return grid[first:end], [(top, bottom) for top, bottom in self.rows[first:end]]

    def _places(self, cells: Sequence[Cell]) -> list[_Column | None] | None:
        """The column of each cell, None for a new one; None if a cell stands across columns or two stand in one."""
        places: list[_Column | None] = []
        for cell in cells:
            met = [column for column in self.columns if cell.left < column.right and cell.right > column.left]
            if len(met) > 1 or (met and met[0] in places):
                return None
            places.append(met[0] if met else None)
        return places

    def _parted(self, words: Sequence[Cell]) -> list[Cell]:
        """The words of a line put together as the columns have it; a word across two of them stays by itself."""
        cells: list[Cell] = []
        column = None
        for word in words:
            met = [column for column in self.columns if word.left < column.right and word.right > column.left]
            if cells and len(met) == 1 and met[0] is column:
                cells[-1] = _joined(cells[-1], word)
            else:
                cells.append(word)
            column = met[0] if len(met) == 1 else None
        return cells

    def _row(
        self, line: Line, last: Line | None, cells: Sequence[Cell], places: Sequence[_Column | None]
    ) -> int | None:
        """The row a line belongs to, a new one most often; None if it stands too far from the last line."""
        row = len(self.rows)
        if last is None or not row:
            return row
        step = line.bottom - last.bottom
        if step < 0.3 * line.height:
            # The next cell of a row whose last one took several lines.
            free = all(column is None or row - 1 not in column.texts for column in places)
            return row - 1 if free and line.bottom > self.tops[-1] - 0.5 * line.height else None
        if step > _FAR * line.height:
            return None
        if step > _NEAR * line.height:
            return row
        first = min(self.columns, key=lambda column: column.left)
        alone = first if all(row - 1 not in column.texts for column in self.columns if column is not first) else None
        if alone and alone in places and len(cells) > 1:
            # A name over two lines, the figures beside its second one.
            return row - 1 if self.text[cells[0].start].islower() else row
        words = not any(map(str.isdigit, self.text[cells[0].start : cells[-1].end]))
        return row - 1 if words and first not in places and None not in places else row


def tables(page: PageText, lines: Sequence[Line], boxes: CharBoxes, is_bold: Callable[[Line], bool]) -> Iterator[Table]:
    """The tables among the lines of a page, from top to bottom."""
    done = 0
    widths = _Widths(page, lines, boxes)
    for first, last in widths.regions():
        draft, before = _Draft(page.text), None
        for number in range(max(first, done), min(last + 1 + _TOLERATED, len(lines))):
            line = lines[number]
            if line.end - line.start > _TEXT and not widths.is_wide(number):
                if number > last:
                    break
                # The names of the columns may fill their line, right above the first row.
                if not draft.rows and not widths.is_wide(number + 1):
                    continue
            words = _words(page, line, boxes)
            cells = _cells(words, _GAP * line.height, page.text)
            if not draft.take(number, line, before, words, cells):
                if number > last:
                    break
                yield from _finished(draft, lines, is_bold)
                draft = _Draft(page.text)
                draft.take(number, line, None, words, cells)
            before, done = line, number + 1
        yield from _finished(draft, lines, is_bold)


def _finished(draft: _Draft, lines: Sequence[Line], is_bold: Callable[[Line], bool]) -> Iterator[Table]:
    """The table a draft has become, or several that follow each other, each with names in bold on top."""
    if len(draft.rows) < _EVERY:
        return
    grid, rows = draft.grid()
    tops = [lines[first] for first, _ in rows]
    begins = [
        row for row in range(1, len(rows)) if may_name(grid[row]) and is_bold(tops[row]) and not is_bold(tops[row - 1])
    ]
    for first, end in pairwise((0, *begins, len(rows))):
        part = without_empty_columns(grid[first:end])
        bold = end - first > 1 and is_bold(tops[first]) and not is_bold(tops[first + 1])
        heads = header_rows(part, bold)
        if is_table(part, heads, bold):
            names = (" ".join(filter(None, column)) for column in zip(*part[:heads], strict=True))
            yield Table(rows[first:end], "; ".join(filter(None, names)), heads)


class _Widths:
    """How wide lines are for their characters, in heights of the line; measured when asked for."""

    def __init__(self, page: PageText, lines: Sequence[Line], boxes: CharBoxes) -> None:
        self._page, self._lines, self._boxes = page, lines, boxes
        self._known: dict[int, float] = {}
        self._seeds = range(1, len(lines), _EVERY)
        widths = sorted(map(self._width, self._seeds))
        usual = widths[len(widths) // 4] if widths else 0.0
        self._least = min(max(_WIDE * usual, _WIDE_MIN), _WIDE_MAX)

    def is_wide(self, number: int) -> bool:
        """Whether a line may hold gaps."""
        return self._width(number) > self._least

    def regions(self) -> Iterator[tuple[int, int]]:
        """The first and the last of successive lines that may be a table."""
        done = -1
        for seed in self._seeds:
            if seed > done and self.is_wide(seed):
                first, done = max(done + 1, self._reach(seed, -1)), self._reach(seed, 1)
                if sum(map(self.is_wide, range(first, done + 1))) >= _EVERY:
                    yield first, done

    def _width(self, number: int) -> float:
        found = self._known.get(number)
        if found is None:
            line = self._lines[number]
            right = self._boxes.box(self._page.character(line.end - 1))[2]
            found = (right - line.left) / ((line.end - line.start) * (line.height or 1.0))
            self._known[number] = found
        return found

    def _reach(self, seed: int, step: int) -> int:
        """The last wide line on one side, and above it those that may name the columns."""
        edge = number = seed
        while 0 <= number + step < len(self._lines) and abs(number - edge) < _TOLERATED:
            number += step
            if self.is_wide(number):
                edge = number
        return edge if step > 0 else number


def _words(page: PageText, line: Line, boxes: CharBoxes) -> list[Cell]:
    box = boxes.box
    begin, finish = page.characters(line.start, line.end)
    # Where nothing was left out, characters follow each other as in the text.
    ahead = begin - line.start if finish - begin == line.end - 1 - line.start and not page.moved else None
    found: list[Cell] = []
    for word in _WORD.finditer(page.text, line.start, line.end):
        start, end = word.span()
        first, last = page.characters(start, end) if ahead is None else (start + ahead, end - 1 + ahead)
        found.append(Cell(box(first)[0], box(last)[2], start, end))
    return found


def _cells(words: Sequence[Cell], gap: float, text: str) -> list[Cell]:
    """The words of a line put together that stand no further apart than `gap`."""
    cells: list[Cell] = []
    for word in words:
        if cells and (word.left - cells[-1].right < gap or _belongs(text, cells[-1], word)):
            cells[-1] = _joined(cells[-1], word)
        else:
            cells.append(word)
    return cells


def _belongs(text: str, cell: Cell, word: Cell) -> bool:
    """Whether a sign and its number stand apart."""
    return bool(_SIGN.search(text, cell.start, cell.end) or _CLOSING.fullmatch(text, word.start, word.end))


def _joined(cell: Cell, word: Cell) -> Cell:
    return Cell(min(cell.left, word.left), max(cell.right, word.right), cell.start, word.end)
