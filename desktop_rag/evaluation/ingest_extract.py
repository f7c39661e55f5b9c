"""The two ways of taking the text out of a PDF that are compared, timed in the process that runs them."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pypdfium2  # type: ignore[import-untyped]

from desktop_rag.documents.model import Page, UnreadPage
from desktop_rag.documents.read import read
from desktop_rag.errors import DocumentError


def compared(path: Path, *, ours_first: bool) -> dict[str, Any]:
    """{ours, pdfium, pages, characters}: what both ways took, one after the other, each {cpu_s, seconds}.

    Raises DocumentError if a page was not read: what is left out takes no time.
    """
    told: dict[str, Any] = {}
    ways = {"ours": _ours, "pdfium": _pdfium}
    for name in ways if ours_first else reversed(ways):
        cpu, begun = time.process_time(), time.perf_counter()
        told["pages"], told["characters"] = ways[name](path)
        told[name] = {"cpu_s": time.process_time() - cpu, "seconds": time.perf_counter() - begun}
    return told


def _ours(path: Path) -> tuple[int, int]:
    pages = characters = 0
    for part in read(path, recognise=False):
        if isinstance(part, UnreadPage):
            raise DocumentError("partly_read", "A page of the measured PDF was not read.", "Please report it.")
        if isinstance(part, Page):
            pages, characters = pages + 1, characters + len(part.text)
    return pages, characters


def _pdfium(path: Path) -> tuple[int, int]:
    pages = characters = 0
    with closing(pypdfium2.PdfDocument(path)) as document:
        for index in range(len(document)):
            with closing(document[index]) as page, closing(page.get_textpage()) as text:
                pages, characters = pages + 1, characters + len(text.get_text_range())
    return pages, characters
