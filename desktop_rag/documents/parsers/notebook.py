"""Jupyter notebooks: the written cells as Markdown, the code, and what it printed; pictures are left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from desktop_rag.documents.composer import Composer
from desktop_rag.documents.encodings import decode
from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo, Page
from desktop_rag.documents.parsers import json as json_format
from desktop_rag.documents.parsers.json_values import Members, load, scalar
from desktop_rag.documents.parsers.markdown import blocks_of
from desktop_rag.documents.source import Source, read_bytes, stem

_PAGE_CHARS = 6000
_TEXTUAL = ("text/markdown", "text/plain")


def parse(source: Source, *, limits: Limits, password: str | None = None) -> Iterator[DocumentInfo | Page]:
    """Pages of whole cells, located by their numbers ("cells 3–8"); what is no notebook is read as JSON."""
    text, encoding = decode(read_bytes(source, limits))
    cells = _cells(text)
    if cells is None:
        yield from json_format.parse(source, limits=limits, password=password)
        return
    yield DocumentInfo("ipynb", _title(cells) or stem(source), None, {"encoding": encoding})
    composer, first = Composer(), 1
    for number, cell in enumerate(cells, start=1):
        _add_cell(composer, cell)
        # A page of its own for each cell would tear apart what is explained in one and computed in the next.
        if composer.length and (composer.length >= _PAGE_CHARS or number == len(cells)):
            yield composer.page(locator=f"cell {number}" if number == first else f"cells {first}–{number}")
            composer, first = Composer(), number + 1


def _cells(text: str) -> list[Any] | None:
    """The cells of a notebook, also of one in the format of before 2015; None if it is none."""
    try:
        notebook = load(text)
    except (ValueError, RecursionError):
        return None
    cells = _get(notebook, "cells")
    if isinstance(cells, list):
        return cells
    sheets = _get(notebook, "worksheets")
    if not isinstance(sheets, list):
        return None
    return [cell for sheet in sheets for cell in _list(_get(sheet, "cells"))]


def _title(cells: list[Any]) -> str:
    for cell in cells:
        if _get(cell, "cell_type") == "markdown":
            text = _joined(_get(cell, "source"))
            titles = (text[b.start : b.end].strip("#=- \t\r\n") for b in blocks_of(text) if b.kind == "heading")
            if title := next(titles, ""):
                return title
    return ""


def _add_cell(composer: Composer, cell: Any) -> None:
    kind = _get(cell, "cell_type")
    text = _joined(_get(cell, "source")) or _joined(_get(cell, "input"))
    if kind == "markdown":
        for block in blocks_of(text):
            composer.add(block.kind, text[block.start : block.end], level=block.level, header=block.header)
    elif kind == "heading":
        level = _joined(_get(cell, "level"))
        composer.add("heading", text, level=int(level) if level in "123456" and level else 1)
    else:
        composer.add("code" if kind == "code" else "paragraph", text)
        for output in _list(_get(cell, "outputs")):
            composer.add("code", _printed(output))


def _printed(output: Any) -> str:
    """The text an output shows: what was printed, a value, or the sentence of an error."""
    if _get(output, "output_type") in ("error", "pyerr"):
        return ": ".join(filter(None, (_joined(_get(output, "ename")), _joined(_get(output, "evalue")))))
    data = _get(output, "data")
    shown = (_joined(_get(data, kind)) for kind in _TEXTUAL)
    return _joined(_get(output, "text")) or next(filter(None, shown), "")


def _get(value: Any, name: str) -> Any:
    """A member of an object; None where there is none, or no object."""
    if not isinstance(value, Members):
        return None
    return next((member for own, member in value if own == name), None)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _joined(value: Any) -> str:
    """A text that may be stored as a list of its lines."""
    lines = value if isinstance(value, list) else [value]
    return "".join(scalar(line) for line in lines if isinstance(line, str))
