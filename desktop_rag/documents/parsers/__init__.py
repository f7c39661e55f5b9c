"""The parsers by format. Each is imported when its format first comes up: a child reads one file only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo, Page, UnreadPage

Part = DocumentInfo | Page | UnreadPage


class Parser(Protocol):
    """Reads one file: a DocumentInfo, then its pages in order, each as soon as it is read.

    Must not write to disk, open other files or use the network; raises DocumentError, lets OSError pass.
    """

    def __call__(self, path: Path, *, limits: Limits, password: str | None) -> Iterator[Part]:
        """The parts of `path`."""
        ...


def _pdf() -> Parser:
    from desktop_rag.documents.parsers.pdf import parse

    return parse


def _docx() -> Parser:
    from desktop_rag.documents.parsers.docx import parse

    return parse


def _markdown() -> Parser:
    from desktop_rag.documents.parsers.markdown import parse

    return parse


def _html() -> Parser:
    from desktop_rag.documents.parsers.html import parse

    return parse


def _text() -> Parser:
    from desktop_rag.documents.parsers.text import parse

    return parse


def _csv() -> Parser:
    from desktop_rag.documents.parsers.csv import parse

    return parse


def _xml() -> Parser:
    from desktop_rag.documents.parsers.xml import parse

    return parse


PARSERS: dict[str, Callable[[], Parser]] = {
    "pdf": _pdf,
    "docx": _docx,
    "markdown": _markdown,
    "html": _html,
    "text": _text,
    "csv": _csv,
    "xml": _xml,
}
"""Format name (see formats.detect) to what loads its parser."""
