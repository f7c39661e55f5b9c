"""The structure of pages as a row of pieces: what may stand in a chunk together, and what has to be said before it.

A block of a page is one piece, code falls apart at its blank lines, and text outside of all blocks into paragraphs.
Nothing is counted here: `chunk_split` makes every piece fit the budget.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from desktop_rag.documents.model import Block, BlockKind, Page
from desktop_rag.documents.paragraphs import paragraphs, strip_span

PSEUDONYM = re.compile(r"\[[A-Z_]+_\d+\]")
_LONGEST_LEAD = 100
# What Markdown puts around a heading; its text is the file's own.
_MARKS = re.compile(r"^#{1,6}\s+|\s+(?:#+|=+|-+)$")
_COLONS = (":", "：")


@dataclass(frozen=True, slots=True)
class Piece:
    """`text[start:end]` of one page, its additive cost in tokens (once counted), and the structure it carries.

    `level` is above 0 on the first piece of a heading only, whose words are then in `title`. `lead` is what a chunk
    that begins with this piece has to say before it: the line that introduces a list, the beginning of a cut row.
    """

    page: int
    start: int
    end: int
    kind: BlockKind = "paragraph"
    level: int = 0
    title: str = ""
    header: str = ""
    lead: str = ""
    introduces: bool = False
    """Whether what follows belongs to it ("You need:")."""
    opens: bool = False
    """Whether it is a good place to begin a chunk (a function among code, a row that is cut)."""
    gap: bool = False
    """Whether text right before it was left out."""
    cost: int = 0


def outline(pages: Sequence[Page]) -> Iterator[Piece]:
    """Every non-white character of `pages` in ordered pieces; nothing of a page is looked at before it is asked for."""
    for number, page in enumerate(pages):
        yield from _related(page.text, _blocks(number, page))


def beginning(text: str, longest: int = _LONGEST_LEAD) -> str:
    """The first whole words of a text on one line, "" if there is none that is short enough."""
    line = " ".join(text[: 4 * longest].split())
    return line if len(line) <= longest else line[: longest + 1].rpartition(" ")[0]


def ending(text: str, longest: int = _LONGEST_LEAD) -> str:
    """The last whole words of a text on one line, "" if there is none that is short enough."""
    line = " ".join(text[-4 * longest :].split())
    return line if len(line) <= longest else line[-longest - 1 :].partition(" ")[2]


def _blocks(number: int, page: Page) -> Iterator[Piece]:
    """The page's blocks, with paragraphs for whatever text lies outside of them."""
    at = 0
    pseudonyms = {place for match in PSEUDONYM.finditer(page.text) for place in range(*match.span())[1:]}
    for block in (*page.blocks, Block("paragraph", len(page.text), len(page.text))):
        first, last = max(at, block.start), max(at, block.end)
        # A name that ran across two blocks became one pseudonym: it belongs to the first of them.
        while first in pseudonyms:
            first += 1
        while last in pseudonyms:
            last += 1
        for start, end in paragraphs(page.text, at, first):
            yield Piece(number, start, end)
        start, end = strip_span(page.text, first, last)
        at = max(first, last)
        if start >= end:
            continue
        if block.kind == "heading":
            title = _MARKS.sub("", " ".join(page.text[start:end][:400].split()))
            yield Piece(number, start, end, "heading", max(1, block.level), title)
        elif block.kind == "code":
            for begin, stop in paragraphs(page.text, start, end):
                yield Piece(number, begin, stop, "code")
        else:
            yield Piece(number, start, end, block.kind, header=block.header)


def _related(text: str, pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The pieces of a page with what they owe to those before them."""
    intro = scope = ""
    for piece in pieces:
        own = text[piece.start : piece.end]
        if piece.kind == "list":
            yield replace(piece, lead=intro)
            continue
        if piece.kind == "code":
            top = piece.start == 0 or text[piece.start - 1] == "\n"
            if top:
                scope = beginning(next((line for line in own.split("\n") if line[:1].isalpha()), ""))
            yield replace(piece, opens=top and not own.startswith((")", "]", "}")), lead="" if top else scope)
            intro = ""
            continue
        scope = ""
        introduces = piece.kind == "paragraph" and own.endswith(_COLONS)
        intro = ending(own) if introduces else ""
        yield replace(piece, introduces=introduces)
