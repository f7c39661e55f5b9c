"""HTML: what a reader of the page sees, in order, as headings, paragraphs, list items, code and table rows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree  # type: ignore[import-untyped]

from desktop_rag.documents.composer import Composer
from desktop_rag.documents.encodings import decode
from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import BlockKind, DocumentInfo, Page
from desktop_rag.documents.parsers.markup import Element, parse_html
from desktop_rag.documents.source import Source, read_bytes, stem

_CHARSET = re.compile(rb"<(?:meta|\?xml)[^>]*?(?:charset|encoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_UNSEEN = frozenset("script style template noscript head svg math iframe object canvas select datalist".split())
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i img ins kbd label mark nobr q rp rt ruby s samp "
    "small span strike strong sub sup time tt u var wbr input button output".split()
)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


def parse(source: Source, *, limits: Limits, password: str | None = None) -> Iterator[DocumentInfo | Page]:
    """One page without number."""
    text, encoding = decoded(read_bytes(source, limits))
    root = parse_html(text)
    title = "" if root is None else " ".join((root.findtext(".//title") or "").split())
    yield DocumentInfo("html", title or stem(source), None, {"encoding": encoding})
    if root is None:
        return
    composer = Composer()
    Flattener(composer).feed(root)
    if composer.length:
        yield composer.page()


def decoded(data: bytes, charset: str | None = None) -> tuple[str, str]:
    """(text, encoding) of an HTML text; a `charset` named outside of it (by a mail) comes before the one it names."""
    named = _CHARSET.search(data[:4096])
    return decode(data, charset or (named.group(1).decode("ascii", "replace") if named else None))


class Flattener:
    """Turns a tree of elements into blocks; also used for HTML embedded in Word files."""

    def __init__(self, composer: Composer) -> None:
        self._composer = composer
        self._words: list[str] = []
        self._kinds: list[tuple[BlockKind, int]] = [("paragraph", 0)]
        self._preformatted = 0
        self._rows: list[_Row] = []
        self._headers: list[str] = []

    def feed(self, root: Element) -> None:
        """Add every visible block under `root` to the composer."""
        walker = etree.iterwalk(root, events=("start", "end"))
        for event, element in walker:
            tag = element.tag if isinstance(element.tag, str) else ""
            if event == "start":
                if _invisible(element, tag):
                    walker.skip_subtree()
                else:
                    self._open(tag)
                    self._words.append(element.text or "")
            else:
                if not _invisible(element, tag):
                    self._close(tag)
                self._words.append(element.tail or "")
        self._flush()

    def _open(self, tag: str) -> None:
        if tag == "br":
            self._words.append("\n" if self._preformatted else " \v")
        if tag in _INLINE or tag in ("br", ""):
            return
        self._flush()
        if tag == "table":
            # A table in a cell is layout: what the outer row holds so far comes out, the rest follows as blocks.
            for row in self._rows:
                self._end_row(row)
                row.cells.clear()
                row.broken = True
            self._headers.append("")
        elif tag == "tr":
            self._rows.append(_Row())
        elif tag in ("td", "th") and self._rows:
            self._rows[-1].start_cell(tag == "th")
        elif tag == "pre":
            self._preformatted += 1
        kind = _kind(tag)
        if kind:
            self._kinds.append(kind)

    def _close(self, tag: str) -> None:
        if tag in _INLINE or tag in ("br", ""):
            return
        self._flush()
        if tag == "table" and self._headers:
            self._headers.pop()
        elif tag == "tr" and self._rows:
            self._end_row(self._rows.pop())
        elif tag == "pre":
            self._preformatted -= 1
        if _kind(tag) and len(self._kinds) > 1:
            self._kinds.pop()

    def _flush(self) -> None:
        raw = "".join(self._words)
        self._words.clear()
        text = raw.strip("\n") if self._preformatted else _collapse(raw)
        if not text.strip():
            return
        row = self._rows[-1] if self._rows else None
        if row is not None and row.cells and not row.broken:
            row.cells[-1].append(text)
            return
        kind, level = self._kinds[-1]
        self._composer.add(kind, text, level=level)

    def _end_row(self, row: _Row) -> None:
        cells = [" ".join(" ".join(cell).split()) for cell in row.cells]
        text = " | ".join(cell for cell in cells if cell)
        is_header = bool(cells) and row.headings == len(cells) and len(cells) > 1
        header = self._headers[-1] if self._headers else ""
        self._composer.add("row", text, header="" if is_header else header)
        if is_header and self._headers:
            self._headers[-1] = text


class _Row:
    """The cells of a table row while it is read."""

    def __init__(self) -> None:
        self.cells: list[list[str]] = []
        self.headings = 0
        self.broken = False

    def start_cell(self, heading: bool) -> None:
        self.cells.append([])
        self.headings += heading


def _kind(tag: str) -> tuple[BlockKind, int] | None:
    if len(tag) == 2 and tag[0] == "h" and tag[1] in "123456":
        return "heading", int(tag[1])
    if tag in ("li", "dd", "dt"):
        return "list", 0
    return ("code", 0) if tag == "pre" else None


def _collapse(raw: str) -> str:
    return "\n".join(" ".join(line.split()) for line in raw.split("\v")).strip("\n")


def _invisible(element: Element, tag: str) -> bool:
    if not tag or tag in _UNSEEN or element.get("hidden") is not None:
        return True
    return bool(_HIDDEN_STYLE.search(element.get("style") or ""))
