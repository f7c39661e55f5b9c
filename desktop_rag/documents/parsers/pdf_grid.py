"""Whether texts that stand in rows and columns are a table, and which of its rows name the columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

Grid = Sequence[Sequence[str]]
"""Rows from the top, each with its cells from the left; an empty cell is "". """

_PERIOD = re.compile(r"(?:[QH][1-4]|FY)?\s*(?:19|20)\d\d|[QH][1-4]")
_NUMBER = re.compile(r"\W*(?:[A-Z]{2,3}[\s$€£]\W*)?\d")
_NOTHING = re.compile(r"[-–—]+|n/?a", re.IGNORECASE)
_LABEL = re.compile(r"[^\w\s]|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]+)[.):]|\(?\d{1,3}\)?|\(?[a-z]\)")
_EQUATION = re.compile(r"\(\w{1,4}(?:\.\w{1,3})?\)")
_PAGE = re.compile(r"\d{1,4}|[ivxlc]+")
_LEADER = re.compile(r"(?:\.\s?){4,}|_{4,}|…")
_ROWS = 3
_MOST_HEADS = 3
_LABELS = 2
"""Columns on the left that may go without a name, at most."""
_LONG = 30
"""Characters of a cell; in a table one column at most has cells that are longer."""
_FILLED = 0.5


def without_empty_columns(grid: Grid) -> Grid:
    """The grid with only the columns in which something stands."""
    return list(zip(*filter(any, zip(*grid, strict=True)), strict=True))


def may_name(row: Sequence[str]) -> bool:
    """Whether a row could be the names of columns."""
    return sum(map(bool, row)) > 1 and not any(map(_is_figure, row))


def header_rows(grid: Grid, bold: bool) -> int:
    """How many of the first rows name the columns; `bold` if the first row alone is set so."""
    if not grid:
        return 0
    heads = 0
    while heads < len(grid) and not any(map(_is_figure, grid[heads])):
        heads += 1
    while heads and sum(map(bool, grid[heads - 1])) < 2:
        # The title of the rows that follow.
        heads -= 1
    if heads > _MOST_HEADS:
        heads = int(bold)
    named = [any(column) for column in zip(*grid[:heads], strict=True)]
    # The columns of the rows' own names often have none.
    return heads if sum(named) > 1 and all(named[min(_LABELS, len(named) // 2) :]) else 0


def is_table(grid: Grid, heads: int, bold: bool) -> bool:
    """Whether a reader would call it a table; when in doubt it is none."""
    body = [row for row in grid[heads:] if sum(map(bool, row)) > 1]
    if len(body) < (_ROWS - 1 if bold and heads else _ROWS):
        return False
    columns = [[cell for cell in column if cell] for column in zip(*body, strict=True)]
    if sum(map(len, columns)) < _FILLED * len(body) * len(columns) or _is_set_text(columns) or _is_form(columns):
        return False
    if not heads and (_is_list(columns) or not any(map(str.isalpha, "".join(columns[0])))):
        return False
    figured = any(len(column) > 1 and _share(map(_is_figure, column)) >= 0.5 for column in columns[1:])
    named = bold and heads > 0 and not any(char.isdigit() for char in "".join(grid[0]))
    return figured or named


def _is_figure(cell: str) -> bool:
    """Whether a cell holds a number or the sign for none, and not the name of a year or quarter."""
    if _NOTHING.fullmatch(cell):
        return True
    number = _NUMBER.match(cell)
    if number is None or _PERIOD.fullmatch(cell):
        return False
    return sum(map(str.isalpha, cell[number.end() :])) <= 3


def _is_set_text(columns: Sequence[Sequence[str]]) -> bool:
    """Text in columns, dotted lines, letters of a formula."""
    cells = [cell for column in columns for cell in column]
    long = sum(sorted(map(len, column))[len(column) // 2] > _LONG for column in columns if column)
    return long > 1 or any(map(_LEADER.search, cells)) or _share(len(cell) > 2 for cell in cells) < 0.2


def _is_form(columns: Sequence[Sequence[str]]) -> bool:
    """Names with a colon and what was filled in beside them, or equations."""
    return any(
        column and _share(cell.endswith(":") or cell.startswith("=") for cell in column) >= 0.4 for column in columns
    )


def _is_list(columns: Sequence[Sequence[str]]) -> bool:
    """Numbered or marked items, equations with their numbers, or titles with their pages."""
    first, last = columns[0], columns[-1]
    if len(columns) == 2 and _share(bool(_LABEL.fullmatch(cell)) for cell in first) >= 0.5:
        return True
    if _share(bool(_EQUATION.fullmatch(cell)) for cell in last) >= 0.5:
        return True
    if not all(map(_PAGE.fullmatch, last)) or any(_share(map(_is_figure, column)) >= 0.5 for column in columns[1:-1]):
        return False
    pages = [int(cell) for cell in last if cell.isdecimal()]
    return pages == sorted(pages)


def _share(flags: Iterable[bool]) -> float:
    known = list(flags)
    return sum(known) / len(known) if known else 0.0
