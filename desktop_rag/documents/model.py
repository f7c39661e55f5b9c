"""What a parsed file is: pages of text, with the structure found in them.

All offsets are Unicode code points in `Page.text`, the page's *original extracted text*. Every
later stage (spans of personal data, chunks, citations) refers to these offsets, so a parser
must give the same text and blocks every time it reads the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

BlockKind = Literal["heading", "paragraph", "list", "table", "row", "code"]

PARSER_VERSION = "3"
BLANK = "this page is blank"
"""The cause of an UnreadPage on which there is nothing: for who reads the file it is a page that was read."""
KNOWN = "this page is known from an earlier reading"
"""The cause of an UnreadPage that was not recognised again, because who asked has it already."""


@dataclass(frozen=True, slots=True)
class Block:
    """One structural unit `text[start:end]` of a page.

    `level` is the depth of a heading (1 = top), else 0. `header` is the text a table row needs
    to be understood (its column names), else "".
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    header: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page (number from 1), or one unit of a format without pages (number None, `locator` says where).

    A locator numbers ("sheet 2, rows 1–200") and never quotes: it is stored as it is, and a title may hold a name.
    `confidence` (0 to 1) is that of text recognition, None for text that stood in the file. Blocks are sorted, do
    not overlap, and lie inside the text.
    """

    number: int | None
    locator: str | None
    text: str
    blocks: tuple[Block, ...] = ()
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a PDF page, in points from the top-left corner of the page as displayed."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """What is known of a file before its pages are read."""

    format: str
    title: str
    pages: int | None
    details: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UnreadPage:
    """A page whose text could not be had; `cause` is a short phrase ("no text on this page (a scan?)").

    It is never a Page with empty text: a page that was not read must not look like a page
    on which nothing is written.
    """

    number: int | None
    locator: str | None
    cause: str
