"""JSON and JSON lines: rows of a table, paths and values, instead of brackets and quotation marks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from desktop_rag.documents.composer import Composer
from desktop_rag.documents.encodings import decode
from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import Block, BlockKind, DocumentInfo, Page
from desktop_rag.documents.paragraphs import paragraphs
from desktop_rag.documents.parsers.csv import ROWS_PER_PAGE, row_text
from desktop_rag.documents.parsers.json_values import (
    Members,
    Path,
    inline,
    is_flat,
    label,
    load,
    one_line,
    scalar,
    walk,
)
from desktop_rag.documents.source import Source, read_bytes, stem, suffix

_LONG = 300
"""Characters from which a string is a paragraph of its own."""
_MAX_COLUMNS = 50
_LINED = (".jsonl", ".ndjson")
_Row = tuple[list[str], list[str]]
"""The names and the texts of a row's cells."""


def parse(source: Source, *, limits: Limits, password: str | None = None) -> Iterator[DocumentInfo | Page]:
    """A list of plain objects, or a file of one value a line, gives a page for each 200 rows ("rows 1–200").

    Any other value gives a line for each object in it, with the way to it ("orders › 3: name: Anna; city: Bonn").
    What is no JSON, or nested too deeply, is shown as the text it is.
    """
    text, encoding = decode(read_bytes(source, limits))
    details = {"encoding": encoding}
    found, value = (False, None) if suffix(source) in _LINED else _loaded(text)
    if found:
        yield DocumentInfo("json", _title(value) or stem(source), None, details)
        yield from _value_pages(value)
    elif _is_lined(text):
        yield DocumentInfo("jsonl", stem(source), None, details)
        yield from _line_pages(text)
    else:
        # A file named like lines may hold one value over many lines.
        found, value = _loaded(text)
        yield DocumentInfo("json", stem(source), None, details)
        yield from _value_pages(value) if found else _plain(text)


def _loaded(text: str) -> tuple[bool, Any]:
    """(whether the text is JSON, its value)."""
    try:
        return True, load(text)
    except (ValueError, RecursionError):
        return False, None


def _plain(text: str) -> Iterator[Page]:
    if text.strip():
        yield Page(None, None, text, tuple(Block("code", start, end) for start, end in paragraphs(text)))


def _title(value: Any) -> str:
    members = value if isinstance(value, Members) else ()
    named = next((text for name, text in members if name.lower() == "title" and isinstance(text, str)), "")
    return one_line(named) if len(named) < _LONG else ""


def _is_lined(text: str) -> bool:
    """Whether the first line with anything on it is a JSON object or list by itself."""
    first = next((line for line in text.split("\n") if line.strip()), "").strip()
    return first[:1] in ("{", "[") and _loaded(first)[0]


def _line_pages(text: str) -> Iterator[Page]:
    numbered = ((number, _row_of_line(line)) for number, line in enumerate(text.split("\n"), start=1) if line.strip())
    while group := list(islice(numbered, ROWS_PER_PAGE)):
        yield from _table_page([row for _, row in group], f"lines {group[0][0]}–{group[-1][0]}")


def _row_of_line(line: str) -> _Row:
    found, value = _loaded(line)
    return _flattened(value) if found else ([""], [line])


def _flattened(value: Any) -> _Row:
    """Everything in a value as cells, named by the way to them."""
    names: list[str] = []
    cells: list[str] = []
    for path, part in walk(value):
        for name, member in part if isinstance(part, Members) else [("", part)]:
            names.append(label((*path, name) if name else path))
            cells.append(one_line(member))
    return names, cells


def _value_pages(value: Any) -> Iterator[Page]:
    if isinstance(value, list) and value and all(map(is_flat, value)):
        rows = map(_flattened, value)
        for start in range(1, len(value) + 1, ROWS_PER_PAGE):
            group = list(islice(rows, ROWS_PER_PAGE))
            yield from _table_page(group, f"rows {start}–{start + len(group) - 1}")
    else:
        yield from _entry_pages(_entries(value))


def _table_page(rows: list[_Row], locator: str) -> Iterator[Page]:
    columns = dict.fromkeys(name for names, _ in rows for name in names if name)
    header = "; ".join(columns) if len(columns) <= _MAX_COLUMNS else ""
    composer = Composer()
    for names, cells in rows:
        composer.add("row", row_text(names, cells), header=header)
    if composer.length:
        yield composer.page(locator=locator)


_Entry = tuple[BlockKind, str]


def _entry_pages(entries: Iterable[_Entry]) -> Iterator[Page]:
    """One page, or several of 200 entries each."""
    remaining = iter(entries)
    group = list(islice(remaining, ROWS_PER_PAGE))
    start = 1
    while group:
        following = list(islice(remaining, ROWS_PER_PAGE))
        composer = Composer()
        for kind, text in group:
            composer.add(kind, text, level=1 if kind == "heading" else 0)
        if composer.length:
            last = start + len(group) - 1
            yield composer.page(locator=f"entries {start}–{last}" if start > 1 or following else None)
        start, group = start + len(group), following


def _entries(value: Any) -> Iterator[_Entry]:
    section = ""
    for path, part in walk(value):
        if path and path[0] != section and isinstance(value, Members):
            section = path[0]
            yield "heading", label((section,))
        yield from _members(path, part) if isinstance(part, Members) else _values(path, part)


def _members(path: Path, members: Members) -> Iterator[_Entry]:
    """An object's short members on one line, then each long one by itself."""
    short = [(name, member) for name, member in members if not _is_long(member)]
    line = row_text([label((name,)) for name, _ in short], [one_line(member) for _, member in short])
    if line:
        yield "row", f"{label(path)}: {line}" if path else line
    for name, member in members:
        if _is_long(member):
            yield from _values((*path, name), member)


def _is_long(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) > _LONG or "\n" in value.strip()
    return isinstance(value, list) and len(list(islice(inline(value), 2))) > 1


def _values(path: Path, value: Any) -> Iterator[_Entry]:
    """A scalar, or a list of them in comfortable lines, after the way to it."""
    prefix = f"{label(path)}: " if path else ""
    for text in inline(value) if isinstance(value, list) else [scalar(value)]:
        if len(text) > _LONG or "\n" in text.strip():
            yield "paragraph", f"{prefix.strip()}\n{text}"
        elif text.strip():
            yield "row", prefix + text
