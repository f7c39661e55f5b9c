"""Word files: headings, paragraphs, lists and tables in document order, notes where they are called.

Text boxes follow the paragraph they are anchored in; headers, footers and comments come last.
Deleted and hidden text is left out. Word files have no fixed pages: one page without number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from desktop_rag.documents.composer import Composer
from desktop_rag.documents.encodings import decode
from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo, Page
from desktop_rag.documents.parsers.docx_package import (
    Package,
    Style,
    attribute,
    child,
    local,
    outline_level,
    styles,
)
from desktop_rag.documents.parsers.html import Flattener
from desktop_rag.documents.parsers.markup import Element, parse_html, parse_xml
from desktop_rag.documents.source import Source, stem

# Deleted or moved-away text, the older copy of a drawing, and what a field is computed from.
_LEFT_OUT = frozenset(("del", "moveFrom", "Fallback", "instrText", "delText", "pPr", "rPr", "rubyPr", "sdtPr"))
_WRITTEN = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_NUMBER = re.compile(r"[\d.,\s%()$€£+/-]+")


def parse(source: Source, *, limits: Limits, password: str | None = None) -> Iterator[DocumentInfo | Page]:
    """One page without number."""
    with Package(source, limits) as package:
        yield DocumentInfo("docx", package.title() or stem(source), None)
        composer = Composer()
        _Reader(package, composer).read()
    if composer.length:
        yield composer.page()


class _Reader:
    def __init__(self, package: Package, composer: Composer) -> None:
        self._package = package
        self._composer = composer
        self._styles = styles(package)
        self._notes = {kind: _notes(package, kind) for kind in ("footnotes", "endnotes")}

    def read(self) -> None:
        root = parse_xml(self._package.read(self._package.main), "its text")
        body = child(root, "body")
        self._blocks(root if body is None else body)
        seen: set[str] = set()
        for kind in ("header", "footer"):
            for part in self._package.related(kind):
                text = _plain(part)
                if text not in seen:
                    seen.add(text)
                    self._composer.add("paragraph", text)
        for comments in self._package.related("comments"):
            for comment in comments:
                self._composer.add("paragraph", _plain(comment))

    def _blocks(self, container: Element) -> None:
        for element in container:
            name = local(element)
            if name == "p":
                self._paragraph(element)
            elif name == "tbl":
                self._table(element)
            elif name == "altChunk":
                self._embedded(attribute(element, "id"))
            elif name not in _LEFT_OUT:
                # Content controls, tracked insertions and the like wrap blocks.
                self._blocks(element)

    def _paragraph(self, paragraph: Element) -> None:
        collected = _Collected()
        collected.walk(paragraph)
        text = collected.text()
        level, listed = self._meaning(child(paragraph, "pPr"))
        if level:
            self._composer.add("heading", " ".join(text.split()), level=level)
        else:
            self._composer.add("list" if listed else "paragraph", text)
        for kind, number in collected.notes:
            self._composer.add("paragraph", self._notes[kind].get(number, ""))
        for box in collected.boxes:
            self._blocks(box)

    def _meaning(self, properties: Element | None) -> tuple[int, bool]:
        """(heading level or 0, whether a list item) of a paragraph."""
        named = child(properties, "pStyle")
        style = self._styles.get("" if named is None else attribute(named, "val"), Style(0, False))
        return outline_level(properties) or style.level, style.listed or child(properties, "numPr") is not None

    def _table(self, table: Element) -> None:
        rows = [(row, list(_inside(row, "tc"))) for row in _inside(table, "tr")]
        if all(len(cells) < 2 for _, cells in rows):
            # A table of one column is a frame around ordinary blocks.
            for _, cells in rows:
                for cell in cells:
                    self._blocks(cell)
            return
        header = ""
        for index, (row, cells) in enumerate(rows):
            texts = [" ".join(_plain(cell).split()) for cell in cells]
            text = " | ".join(part for part in texts if part)
            heads = child(row, "trPr", "tblHeader") is not None or (index == 0 and _names_columns(texts))
            self._composer.add("row", text, header="" if heads else header)
            if heads:
                header = text

    def _embedded(self, relation_id: str) -> None:
        for relation in self._package.relations:
            if relation.id == relation_id and relation.target.lower().endswith((".html", ".htm", ".xhtml", ".txt")):
                text, _ = decode(self._package.read(relation.target))
                root = None if relation.target.lower().endswith(".txt") else parse_html(text)
                if root is None:
                    self._composer.add("paragraph", text)
                else:
                    Flattener(self._composer).feed(root)


class _Collected:
    """The text under an element in reading order, the notes it calls and the text boxes anchored in it."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self.notes: list[tuple[str, str]] = []
        self.boxes: list[Element] = []

    def text(self) -> str:
        return "".join(self._parts)

    def walk(self, element: Element) -> None:
        for inner in element:
            name = local(inner)
            if name in _LEFT_OUT or (name == "r" and _hidden(inner)):
                continue
            if name == "t":
                self._parts.append(inner.text or "")
            elif name in _WRITTEN:
                self._parts.append(_WRITTEN[name])
            elif name in ("footnoteReference", "endnoteReference"):
                self.notes.append((name.replace("Reference", "s"), attribute(inner, "id")))
            elif name == "txbxContent":
                self.boxes.append(inner)
            else:
                self.walk(inner)


def _hidden(run: Element) -> bool:
    mark = child(run, "rPr", "vanish")
    return mark is not None and attribute(mark, "val") not in ("0", "false", "off")


def _plain(element: Element) -> str:
    """The text of every paragraph under an element, one a line, text boxes included."""
    lines: list[str] = []
    for paragraph in element.iter():
        if local(paragraph) == "p" and not _left_out(paragraph):
            collected = _Collected()
            collected.walk(paragraph)
            lines.append(collected.text().strip())
    return "\n".join(line for line in lines if line)


def _left_out(element: Element) -> bool:
    return any(local(outer) in _LEFT_OUT for outer in element.iterancestors())


def _inside(element: Element, name: str) -> Iterator[Element]:
    """Rows of a table or cells of a row, also those in content controls, but not those of inner tables."""
    for inner in element:
        found = local(inner)
        if found == name:
            yield inner
        elif found not in _LEFT_OUT and found not in ("tc", "tbl", "p"):
            yield from _inside(inner, name)


def _names_columns(texts: list[str]) -> bool:
    return len(texts) > 1 and all(texts) and not any(_NUMBER.fullmatch(text) for text in texts)


def _notes(package: Package, kind: str) -> dict[str, str]:
    return {attribute(note, "id"): _plain(note) for root in package.related(kind) for note in root}
