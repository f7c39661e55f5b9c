"""Tables in text files (CSV, TSV and their relatives): one block for each row, with its column names."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice

from desktop_rag.documents.composer import Composer
from desktop_rag.documents.encodings import decode
from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo, Page
from desktop_rag.documents.source import Source, read_bytes, stem

ROWS_PER_PAGE = 200
"""Rows on one page of a table."""
_DELIMITERS = ",;\t|"
_SAMPLE_ROWS = 40
_NUMBER = re.compile(r"[\s+\-(]*[$€£]?\s*\d[\d.,\s'%)€$£:/-]*")


def parse(source: Source, *, limits: Limits, password: str | None = None) -> Iterator[DocumentInfo | Page]:
    """Pages of at most 200 rows, located by their data rows ("rows 1–200"); the column names count as no row."""
    text, encoding = decode(read_bytes(source, limits))
    delimiter = _delimiter(text)
    rows = _rows(text, delimiter)
    first = next(rows, [])
    names = [" ".join(cell.split()) for cell in first] if is_header(first) else []
    yield DocumentInfo("csv", stem(source), None, {"encoding": encoding, "delimiter": delimiter})
    if not names and first:
        rows = _with_first(first, rows)
    header = "; ".join(name for name in names if name)
    start = 1
    while page_rows := list(islice(rows, ROWS_PER_PAGE)):
        composer = Composer()
        for row in page_rows:
            composer.add("row", row_text(names, row), header=header)
        end = start + len(page_rows) - 1
        if composer.length:
            yield composer.page(locator=f"rows {start}–{end}")
        start = end + 1
    if start == 1 and header:
        # Column names alone are still text that somebody may look for.
        composer = Composer()
        composer.add("row", header)
        yield composer.page(locator="row 0")


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    # A field may be as long as the file (an unclosed quote); the module's own bound is for the whole process.
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
        if any(cell.strip() for cell in row):
            yield row


def _with_first(first: list[str], rest: Iterator[list[str]]) -> Iterator[list[str]]:
    yield first
    yield from rest


def _delimiter(text: str) -> str:
    """The delimiter that cuts the first rows into the most alike numbers of columns, a comma if none cuts any."""
    sample = text[:200_000]
    return max(_DELIMITERS, key=lambda delimiter: _evenness(sample, delimiter))


def _evenness(sample: str, delimiter: str) -> tuple[float, int]:
    widths = [len(row) for row in islice(_rows(sample, delimiter), _SAMPLE_ROWS)]
    common = max(set(widths), key=widths.count, default=1)
    if common < 2:
        return 0.0, max(widths, default=1)
    return widths.count(common) / len(widths), common


def is_header(row: Sequence[str]) -> bool:
    """Whether the first row names the columns: no cell is a number and no name comes twice."""
    names = [cell.strip() for cell in row if cell.strip()]
    return len(names) > 0 and len(set(names)) == len(names) and not any(_NUMBER.fullmatch(name) for name in names)


def row_text(names: Sequence[str], row: Sequence[str]) -> str:
    """One line for a row ("Name: Anna; Age: 3"); empty cells are left out, cells without a name stand alone."""
    cells: list[str] = []
    for index, cell in enumerate(row):
        value = " ".join(cell.split())
        name = names[index] if index < len(names) else ""
        if value:
            cells.append(f"{name}: {value}" if name else value)
    return "; ".join(cells)
