"""Running headers and footers: lines that stand at the edge of page after page say nothing new after the first.

Pure: the standard library only.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from desktop_rag.documents.chunk import Chunk
from desktop_rag.documents.model import Page

FEWEST_PAGES = 3
_EDGE_LINES = 2


def without_repeats(chunks: Sequence[Chunk], pages: Sequence[Page]) -> list[Chunk]:
    """The chunks without those that hold nothing but running lines an earlier chunk already had.

    The page's own number does not make a line another one; any other figure does. A line runs when it
    stands among the first or last lines of at least three pages.
    """
    running = _running(pages)
    seen: set[str] = set()
    kept = []
    for chunk in chunks:
        lines = set(_lines(pages[chunk.page], chunk.start, chunk.end))
        if lines <= running and lines <= seen:
            continue
        seen |= lines
        kept.append(chunk)
    return kept


def _running(pages: Sequence[Page]) -> set[str]:
    counts: Counter[str] = Counter()
    for page in pages:
        lines = list(_lines(page, 0, len(page.text)))
        counts.update({*lines[:_EDGE_LINES], *lines[-_EDGE_LINES:]})
    return {line for line, count in counts.items() if count >= FEWEST_PAGES}


def _lines(page: Page, start: int, end: int) -> Iterator[str]:
    own_number = re.compile(rf"(?<![\w.,:/-]){page.number}(?![\w,:/-])") if page.number is not None else None
    for line in page.text[start:end].splitlines():
        if line.strip():
            plain = " ".join(line.split())
            yield own_number.sub("#", plain) if own_number else plain
