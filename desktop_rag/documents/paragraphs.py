"""Paragraphs of plain text: runs of lines between blank lines, as stripped offsets."""

from __future__ import annotations

import re

_BLANK_LINES = re.compile(r"(?>\r\n?|\n)[^\S\r\n]*(?:(?>\r\n?|\n)[^\S\r\n]*)+|\f")


def strip_span(text: str, start: int, end: int) -> tuple[int, int]:
    """Shrink `text[start:end]` to its first and last non-white character; start == end if there is none."""
    part = text[start:end]
    kept = part.lstrip()
    start += len(part) - len(kept)
    return start, start + len(kept.rstrip())


def paragraphs(text: str, start: int = 0, end: int | None = None) -> list[tuple[int, int]]:
    """Offsets of the paragraphs of `text[start:end]`: ordered, stripped, covering every non-white character."""
    stop = len(text) if end is None else end
    spans: list[tuple[int, int]] = []
    at = start
    for gap in _BLANK_LINES.finditer(text, start, stop):
        _keep(spans, strip_span(text, at, gap.start()))
        at = gap.end()
    _keep(spans, strip_span(text, at, stop))
    return spans


def _keep(spans: list[tuple[int, int]], span: tuple[int, int]) -> None:
    if span[0] < span[1]:
        spans.append(span)
