"""OpenDocument texts and presentations: headings, paragraphs, lists and tables in order, notes where they are called.

Deleted text is left out, remarks are kept. A text is one page without number, a presentation has a page a slide.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from typing import Any

from lxml import etree  # type: ignore[import-untyped]
from odfdo import Document

from desktop_rag.documents.archives import BROKEN, check, opened
from desktop_rag.documents.composer import Composer
from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo, Page, UnreadPage
from desktop_rag.documents.parsers.csv import is_header, row_text
from desktop_rag.documents.source import Source, read_bytes, stem
from desktop_rag.errors import DocumentError

_DAMAGED = (
    *BROKEN, KeyError, IndexError, AttributeError, TypeError, AssertionError, RuntimeError, OverflowError,
    OSError, zlib.error, etree.XMLSyntaxError,
)  # fmt: skip
"""What odfdo raises where a file leaves out or contradicts what the format demands."""
# Deleted text, what indexes are made from, and what a program writes for itself.
_LEFT_OUT = frozenset(
    "text:tracked-changes text:sequence-decls text:variable-decls text:user-field-decls text:note-citation "
    "office:forms office:scripts dc:date meta:date-string office:binary-data text:list-header-level svg:desc "
    "presentation:settings anim:par".split()
)
_INDEX_SOURCES = "-source"
_MOST_SPACES = 100
_MOST_COLUMNS = 1000
_BLOCKS = frozenset(("text:p", "text:h"))


def parse(source: Source, *, limits: Limits, password: str | None = None) -> Iterator[DocumentInfo | Page | UnreadPage]:
    """One page without number, or a page for each slide."""
    try:
        with opened(source) as archive:
            check(archive, limits)
            # odfdo lets lxml read what a file declares of itself; no program writes declarations.
            if any(b"<!" in archive.read(name)[:4096].replace(b"<!--", b"") for name in _xml_parts(archive)):
                raise ValueError("declares entities")
        document = Document(io.BytesIO(read_bytes(source, limits)))
        title = " ".join((document.meta.title or "").split())
        body = document.body
        slides = [child for child in body.children if child.tag == "draw:page"]
    except _DAMAGED as failure:
        raise DocumentError(
            "unreadable",
            "The OpenDocument file is damaged and cannot be read.",
            "Open it in LibreOffice and save it again.",
        ) from failure
    yield DocumentInfo("odp" if slides else "odt", title or stem(source), len(slides) or None)
    for number, unit in enumerate(slides, 1) if slides else [(None, body)]:
        part: Page | UnreadPage
        try:
            composer = Composer()
            _blocks(composer, unit)
            part = composer.page(number=number)
        except _DAMAGED:
            part = UnreadPage(number, None, "this part of the file is damaged")
        yield part


def _xml_parts(archive: Any) -> list[str]:
    return [name for name in archive.namelist() if name in ("content.xml", "meta.xml", "styles.xml")]


def _blocks(composer: Composer, container: Any, listed: bool = False) -> None:
    """The blocks under an element in reading order, whatever frames, sections and groups they lie in."""
    for element in container.children:
        tag = element.tag
        if tag in _LEFT_OUT or tag.endswith(_INDEX_SOURCES):
            continue
        if tag in _BLOCKS:
            _paragraph(composer, element, listed)
        elif tag == "table:table":
            _table(composer, element)
        elif tag == "presentation:notes":
            _notes(composer, element)
        else:
            _blocks(composer, element, listed or tag == "text:list")


def _paragraph(composer: Composer, element: Any, listed: bool) -> None:
    aside: list[Any] = []
    text = "".join(_words(element, aside)).strip()
    if element.tag == "text:h":
        level = str(element.get_attribute("text:outline-level") or "1")
        composer.add("heading", " ".join(text.split()), level=min(int(level), 9) if level.isdecimal() else 1)
    elif _is_title(element):
        composer.add("heading", " ".join(text.split()), level=1)
    else:
        composer.add("list" if listed else "paragraph", text)
    for block in aside:
        _blocks(composer, block)


def _is_title(element: Any) -> bool:
    """Whether a paragraph stands in the title of a slide."""
    box = element.parent
    frame = box.parent if box is not None else None
    return frame is not None and frame.get_attribute("presentation:class") == "title"


def _words(element: Any, aside: list[Any]) -> Iterator[str]:
    """The text of a paragraph; what is anchored in it (notes, remarks, frames) is put `aside`."""
    yield _flat(element.text)
    for inner in element.children:
        tag = inner.tag
        if tag == "text:s":
            count = str(inner.get_attribute("text:c") or "1")
            yield " " * (min(int(count), _MOST_SPACES) if count.isdecimal() else 1)
        elif tag == "text:tab":
            yield "\t"
        elif tag == "text:line-break":
            yield "\n"
        elif tag in ("text:note", "office:annotation") or tag.startswith(("draw:", "table:")):
            aside.append(inner)
        elif tag not in _LEFT_OUT and tag != "text:ruby-text":
            yield from _words(inner, aside)
        yield _flat(inner.tail)


def _flat(text: str | None) -> str:
    """White space as the format means it: any run of it is one space."""
    if not text:
        return ""
    words = " ".join(text.split())
    return (" " if text[:1].isspace() else "") + words + (" " if words and text[-1:].isspace() else "")


def _notes(composer: Composer, notes: Any) -> None:
    words = Composer()
    _blocks(words, notes)
    if words.length:
        page = words.page()
        composer.add("paragraph", "Notes:")
        for block in page.blocks:
            composer.add("paragraph", page.text[block.start : block.end])


def _table(composer: Composer, table: Any) -> None:
    rows = [cells for row in _rows(table) if any(cells := _cells(row))]
    if all(len(cells) < 2 for cells in rows):
        # A table of one column is a frame around ordinary blocks.
        for row in _rows(table):
            _blocks(composer, row)
        return
    named = len(rows) > 1 and is_header(rows[0])
    names = rows[0] if named else []
    header = "; ".join(name for name in names if name)
    for cells in rows[1:] if named else rows:
        composer.add("row", row_text(names, cells), header=header)


def _rows(table: Any) -> Iterator[Any]:
    for element in table.children:
        if element.tag == "table:table-row":
            yield element
        elif element.tag in ("table:table-header-rows", "table:table-rows", "table:table-row-group"):
            yield from _rows(element)


def _cells(row: Any) -> list[str]:
    """The texts of a row's cells without the empty ones at its end, a repeated cell as often as it is meant."""
    cells: list[str] = []
    for cell in row.children:
        if cell.tag in ("table:table-cell", "table:covered-table-cell"):
            inner = Composer()
            _blocks(inner, cell)
            count = str(cell.get_attribute("table:number-columns-repeated") or "1")
            times = min(int(count), _MOST_COLUMNS) if count.isdecimal() else 1
            cells += [" ".join(inner.page().text.split())] * min(times, _MOST_COLUMNS - len(cells))
    while cells and not cells[-1]:
        cells.pop()
    return cells
