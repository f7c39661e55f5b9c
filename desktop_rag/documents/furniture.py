"""Running headers and footers: lines that stand at the edge of page after page say nothing new after the first.

Pure: the standard library only.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from desktop_rag.documents.chunk import Chunk
from desktop_rag.documents.model import Page

FEWEST_PAGES = 3
_EDGE_LINES = 2
_PAGES_A_STEP = 100


def without_repeats(steps: Iterable[Sequence[Chunk]], pages: Sequence[Page]) -> Iterator[list[Chunk]]:
    """The chunks, step by step, without those that hold nothing but running lines an earlier chunk already had.

    The page's own number and that of the last one do not make a line another one; any other figure does. A line
    runs when it stands among the first or last lines of at least three pages.
    """
    counts: Counter[str] = Counter()
    last = max((page.number or 0 for page in pages), default=0)
    for at in range(0, len(pages), _PAGES_A_STEP):
        for page in pages[at : at + _PAGES_A_STEP]:
            counts.update(_edges(page, last))
        yield []
    seen: set[str] = set()
    for chunks in steps:
        kept = []
        for chunk in chunks:
            lines = set(_lines(pages[chunk.page], last, chunk.start, chunk.end))
            if lines <= seen and all(counts[line] >= FEWEST_PAGES for line in lines):
                continue
            seen |= lines
            kept.append(chunk)
        yield kept


def _edges(page: Page, last: int) -> set[str]:
    """The first and last lines of a page."""
    lines = list(_lines(page, last, 0, len(page.text)))
    return {*lines[:_EDGE_LINES], *lines[-_EDGE_LINES:]}


def _lines(page: Page, last: int, start: int, end: int) -> Iterator[str]:
    # On the last page "Page 4 of 4" has its own number twice: "of 4" must not tell it from the others.
    numbers = () if page.number is None else (str(page.number), str(last))
    for line in page.text[start:end].splitlines():
        if plain := " ".join(line.split()):
            for number in numbers:
                if number in plain:
                    plain = re.sub(rf"(?<![\w.,:/-]){number}(?![\w,:/-])", "#", plain)
            yield plain
