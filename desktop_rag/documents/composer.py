"""Builds the text and blocks of a page for formats whose text has to be put together from parts."""

from __future__ import annotations

from desktop_rag.documents.model import Block, BlockKind, Page


class Composer:
    """Collects blocks in order; `page` gives their joined text with exact offsets.

    Rows and list items stand on lines of their own, everything else is parted by a blank line.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._blocks: list[Block] = []
        self._length = 0

    def add(self, kind: BlockKind, text: str, *, level: int = 0, header: str = "") -> None:
        """Append a block; white space around `text` is dropped and an empty text ignored."""
        text = text.strip()
        if not text:
            return
        if self._blocks:
            dense = kind in ("row", "list") and self._blocks[-1].kind == kind
            self._append("\n" if dense else "\n\n")
        start = self._length
        self._append(text)
        self._blocks.append(Block(kind, start, self._length, level, header))

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)

    @property
    def length(self) -> int:
        """Characters collected so far."""
        return self._length

    def page(self, number: int | None = None, locator: str | None = None, confidence: float | None = None) -> Page:
        """Everything collected since the start, as one page."""
        return Page(number, locator, "".join(self._parts), tuple(self._blocks), confidence)
