"""The parsers by format. Each is imported when its format first comes up: a child reads one file only."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Protocol, cast

from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo, Page, UnreadPage
from desktop_rag.documents.source import Child, Source

Part = DocumentInfo | Page | UnreadPage | Child


class Parser(Protocol):
    """Reads one file: a DocumentInfo, then its pages in order and the files in it, each as soon as it is read.

    Must not write to disk, open other files or use the network; raises DocumentError, lets OSError pass.
    """

    def __call__(self, source: Source, *, limits: Limits, password: str | None) -> Iterator[Part]:
        """The parts of `source`."""
        ...


_MODULES = {
    "pdf": "pdf",
    "docx": "docx",
    "doc": "old_office",
    "ppt": "old_office",
    "pptx": "pptx",
    "sheet": "sheet",
    "odt": "odf",
    "odp": "odf",
    "rtf": "rtf",
    "epub": "epub",
    "eml": "mail",
    "msg": "msg",
    "mbox": "mbox",
    "mhtml": "mhtml",
    "zip": "zip",
    "tar": "tar",
    **dict.fromkeys(("gz", "bz2", "xz"), "packed"),
    "markdown": "markdown",
    "html": "html",
    "text": "text",
    "csv": "csv",
    "json": "json",
    "jsonl": "json",
    "ipynb": "notebook",
    "xml": "xml",
    "image": "image",
}
FORMATS = frozenset(_MODULES)
"""The formats that can be read (see formats.detect)."""


def parser_of(kind: str) -> Parser:
    """What reads a format; its module and the libraries it needs are imported now."""
    module = import_module(f"desktop_rag.documents.parsers.{_MODULES[kind]}")
    return cast(Parser, module.parse)
