"""The user's own files: hashed, opened with the passwords they gave, read again while unchanged."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any, TypeVar

from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import Page
from desktop_rag.errors import DocumentError
from desktop_rag.store.documents import FINAL
from desktop_rag.workers.journal import Journal
from desktop_rag.workers.library import Library
from desktop_rag.workers.parsing import ParsedFile, Parser

_HASH_BLOCK = 1 << 22
_Step = TypeVar("_Step")
_Result = TypeVar("_Result")


def digest(path: Path) -> Generator[None, None, tuple[str, int]]:
    """The file's SHA-256 and size. Raises DocumentError for what is missing, empty or too large to be read at all."""
    try:
        size = path.stat().st_size
        if size == 0:
            raise DocumentError("empty", "The file is empty.", "Check that it was saved completely.")
        if size > Limits().max_bytes:
            raise DocumentError(
                "too_large",
                f"The file has {size // 10**6} MB; up to {Limits().max_bytes // 10**6} MB are read.",
                "Split it into parts.",
            )
        content = hashlib.sha256()
        with path.open("rb") as file:
            while block := file.read(_HASH_BLOCK):
                content.update(block)
                yield
    except FileNotFoundError as error:
        raise DocumentError(
            "not_found", "The file is not there any more.", "It may have been moved or deleted."
        ) from error
    except OSError as error:
        raise DocumentError(
            "unreadable", f"The file cannot be opened: {error.strerror}.", "Check its permissions."
        ) from error
    return content.hexdigest(), size


def attempts(
    passwords: Iterable[str], ask: Callable[[str | None], Generator[_Step, None, _Result]]
) -> Generator[_Step, None, _Result]:
    """Ask without a password, then with each one the user gave."""
    waiting: list[str | None] = [None, *passwords]
    while True:
        try:
            return (yield from ask(waiting.pop(0)))
        except DocumentError as error:
            if error.code != "encrypted" or not waiting:
                raise


def pages(
    library: Library, row: dict[str, Any], parser: Parser, *, recognise: bool = True
) -> Generator[ParsedFile | None, None, None]:
    """A document's pages with the passwords that were given: yields what is read so far, or None; all of it last.

    What was recognised before an interruption is taken from the journal, and noted there while the document is not
    finished. Raises DocumentError, as Parser.read does.
    """
    journal = Journal(library.db, row) if recognise and row["state"] not in FINAL else None

    def ask(password: str | None) -> Generator[ParsedFile | None, None, None]:
        known = (yield from journal.pages(password)) if journal else {}
        seen = 0
        for parsed in parser.read(Path(row["path"]), password, row["member"], recognise=recognise, known=known):
            for page in parsed.pages[seen:]:
                if journal and isinstance(page, Page) and page.confidence is not None and page.number not in known:
                    yield from journal.keep_page(page, password)
            seen = len(parsed.pages)
            yield parsed

    yield from attempts(library.passwords, ask)


def reread(
    library: Library, row: dict[str, Any], parser: Parser, *, recognise: bool = True
) -> Generator[None, None, ParsedFile]:
    """Read a document again whose findings are stored. Raises DocumentError when the file is gone or changed."""
    yield from unchanged(library, row)
    parsed = ParsedFile()
    for found in pages(library, row, parser, recognise=recognise):
        parsed = found or parsed
        yield
    # The stored places of personal data hold for the stored content only.
    yield from unchanged(library, row)
    return parsed


def unchanged(library: Library, row: dict[str, Any]) -> Generator[None, None, None]:
    """Raise DocumentError when the user's file is gone or is not what was indexed."""
    root = library.documents.root(row["id"])
    if not root["path"]:
        raise DocumentError(
            "not_found", "This document came with an imported collection: its file is not on this computer."
        )
    if (yield from digest(Path(root["path"])))[0] != root["sha256"]:
        raise DocumentError("not_found", "The file was changed since it was read.", "Add it again.")
