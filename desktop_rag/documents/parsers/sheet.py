"""Spreadsheets (Excel's formats and OpenDocument): a block for each row, with the names of its columns."""

from __future__ import annotations

import datetime as dt
import io
import struct
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any

import olefile  # type: ignore[import-untyped]
from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from desktop_rag.documents.archives import BROKEN, check, opened
from desktop_rag.documents.composer import Composer
from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo, Page, UnreadPage
from desktop_rag.documents.parsers.csv import ROWS_PER_PAGE, is_header, row_text
from desktop_rag.documents.parsers.sheet_comments import comments
from desktop_rag.documents.parsers.sheet_extent import check_old, drawn_together
from desktop_rag.documents.passwords import unknown_scheme
from desktop_rag.documents.source import Source, read_bytes, stem
from desktop_rag.errors import DocumentError

_DAMAGED = (*BROKEN, CalamineError, KeyError, IndexError, RuntimeError, OSError, struct.error, zlib.error)
_TITLE_ROWS = 10
_MOST_MERGED = 10_000
_Merged = tuple[int, int, int]
"""First and last row (from 1) and column (from 0) of merged cells."""


def parse(source: Source, *, limits: Limits, password: str | None = None) -> Iterator[DocumentInfo | Page | UnreadPage]:
    """Pages of at most 200 rows, located by sheet and by the rows' own numbers ("sheet Costs, rows 1–200")."""
    with _complaints():
        data, narrowed, remarks = _safe(source, limits)
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = workbook.sheets_metadata
    yield DocumentInfo("sheet", stem(source), None, {"sheets": str(len(sheets))})
    for index, sheet in enumerate(sheets):
        if sheet.typ != SheetTypeEnum.WorkSheet:
            continue
        hidden = "" if sheet.visible == SheetVisibleEnum.Visible else " (hidden)"
        where = f"sheet {index + 1}{hidden}"
        try:
            with _complaints():
                found = workbook.get_sheet_by_index(index)
        except DocumentError:
            yield UnreadPage(None, where, "the sheet is damaged")
            continue
        rows = _filled(found, [] if narrowed else _upright(found))
        yield from _pages(rows, sheet.name, where, limits)
    if remarks:
        composer = Composer()
        for remark in remarks:
            composer.add("paragraph", remark)
        yield composer.page(locator="comments")


@contextmanager
def _complaints() -> Iterator[None]:
    try:
        yield
    except PasswordError as failure:
        raise unknown_scheme() from failure
    except _DAMAGED as failure:
        raise _damaged() from failure
    except BaseException as failure:
        # What goes wrong inside Rust comes as a class that cannot be imported and is no Exception.
        if type(failure).__name__ != "PanicException":
            raise
        raise _damaged() from failure


def _damaged() -> DocumentError:
    return DocumentError(
        "unreadable",
        "The spreadsheet is damaged and cannot be read.",
        "Open it in Excel or LibreOffice and save it again.",
    )


def _safe(source: Source, limits: Limits) -> tuple[bytes, bool, list[str]]:
    """(the file, drawn together where it has to be; whether it was; the remarks on its cells)."""
    data = read_bytes(source, limits)
    if olefile.isOleFile(data=data):
        with olefile.OleFileIO(io.BytesIO(data)) as file:
            name = next((name for name in ("Workbook", "Book") if file.exists(name)), None)
            if name:
                with file.openstream(name) as stream:
                    check_old(stream.read())
        return data, False, []
    with opened(source) as archive:
        check(archive, limits)
        smaller = drawn_together(archive)
        return smaller or data, smaller is not None, comments(archive)


def _pages(rows: Iterator[tuple[int, list[str]]], title: str, where: str, limits: Limits) -> Iterator[Page]:
    """The pages of a sheet; the row with the names of the columns is left out, for every other one bears them."""
    top = list(islice(rows, _TITLE_ROWS))
    at = next((index for index, (_, row) in enumerate(top[:-1]) if sum(map(bool, row)) > 1 and is_header(row)), None)
    named = top[at][0] if at is not None else 0
    names = top[at][1] if at is not None else []
    header = "; ".join(name for name in names if name)
    composer, first, last = Composer(), 0, 0
    for number, row in chain(top, rows):
        if number == named:
            continue
        next_page = (number - 1) // ROWS_PER_PAGE != (first - 1) // ROWS_PER_PAGE
        if composer.length and (next_page or composer.length > limits.max_chars):
            yield composer.page(locator=f"{where}, rows {first}–{last}")
            composer = Composer()
        if not composer.length:
            composer.add("heading", title, level=1)
            first = number
        below = number > named
        composer.add("row", row_text(names if below else [], row), header=header if below else "")
        last = number
    if composer.length:
        yield composer.page(locator=f"{where}, rows {first}–{last}")


def _upright(sheet: Any) -> list[_Merged]:
    """Merged cells over several rows. What stands in the first of them is meant for all."""
    ranges = (sheet.merged_cell_ranges or [])[:_MOST_MERGED]
    left = (sheet.start or (0, 0))[1]
    return sorted((top + 1, bottom + 1, column - left) for (top, column), (bottom, _) in ranges if bottom > top)


def _filled(sheet: Any, merged: list[_Merged]) -> Iterator[tuple[int, list[str]]]:
    """(number, cells) of each row with words in it, values of merged cells repeated in every row of theirs."""
    waiting = deque(merged)
    reaching: dict[int, tuple[int, str]] = {}
    for number, row in enumerate(sheet.iter_rows(), 1):
        cells = [_text(value) for value in row]
        if not any(cells):
            continue
        reaching = {column: (end, text) for column, (end, text) in reaching.items() if end >= number}
        for column, (_, text) in reaching.items():
            cells[column] = cells[column] or text
        while waiting and waiting[0][0] <= number:
            top, bottom, column = waiting.popleft()
            if top == number and 0 <= column < len(cells):
                reaching[column] = (bottom, cells[column])
        yield number, cells


def _text(value: object) -> str:
    """A cell as a person would write it: dates as ISO, whole numbers without a fraction."""
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else f"{value:.15g}"
    if isinstance(value, dt.datetime):
        return value.isoformat(" ", "seconds")
    return str(value)
