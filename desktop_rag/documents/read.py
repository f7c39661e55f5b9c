"""A file on disk to its pages: the one way into this package.

`read` decides on the format by content, lets the format's parser work page by page and sees to it
that what went wrong is said once, clearly, and that no unread page looks like an empty one.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeGuard

from desktop_rag.documents.formats import SUPPORTED_SUFFIXES, is_supported
from desktop_rag.documents.inside import forget, parts_of, source_of
from desktop_rag.documents.limits import DEFAULT_LIMITS, Limits
from desktop_rag.documents.model import BLANK, KNOWN, Block, DocumentInfo, Page, UnreadPage
from desktop_rag.documents.parsers import Part
from desktop_rag.documents.source import Child, told_of_disk
from desktop_rag.documents.walk import walk
from desktop_rag.errors import DocumentError

__all__ = ["SUPPORTED_SUFFIXES", "Limits", "is_supported", "read", "source_of", "walk"]

_SPACE_FROM_END = re.compile(r"\s\S*\Z")


def read(
    path: Path,
    *,
    limits: Limits = DEFAULT_LIMITS,
    password: str | None = None,
    member: Sequence[str] = (),
    recognise: bool = True,
    known: Collection[int] = (),
) -> Iterator[Part]:
    """One DocumentInfo, then a Page or an UnreadPage for each page as soon as it is read, and a Child for each file
    inside.

    `member` names a file in the file (and one in that, and so on), as their Child parts did. Without `recognise`,
    pages that are pictures stay unread, which takes no time; so do those in `known`, with the cause KNOWN. Every
    `yield` is a cancel point: closing the generator closes the file. Raises DocumentError with code "not_found",
    "unsupported", "encrypted", "empty", "too_large" or "unreadable"; also at the end, if no page could be read.
    """
    with told_of_disk():
        _check_file(path, limits)
        if not member:
            forget()
        limits = replace(limits, recognise=recognise, known=frozenset(known))
        source = source_of(path, member, limits=limits, password=password)
        yield from _checked(parts_of(source, limits, password), limits)


def _check_file(path: Path, limits: Limits) -> None:
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise DocumentError("unsupported", "This is a folder, not a file.", "Add the files in it.")
    if not stat.S_ISREG(status.st_mode):
        raise DocumentError("unsupported", "This is a device or pipe, not a file.", "Save its content to a file first.")
    if status.st_size == 0:
        raise _empty("The file is empty: it has no bytes at all.")
    if status.st_size > limits.max_bytes:
        raise DocumentError(
            "too_large",
            f"The file has {status.st_size / 1e6:,.0f} MB; at most {limits.max_bytes / 1e6:,.0f} MB are read.",
            "Split it into smaller files and add those.",
        )


def _checked(parts: Iterator[Part], limits: Limits) -> Iterator[Part]:
    """Pass the parser's parts on, long pages split; complain at the end if nothing was read."""
    seen = _Seen(limits)
    for part in parts:
        for piece in _pieces(part, limits):
            told = Page(piece.number, piece.locator, "") if _is_blank(piece) else piece
            seen.count(told)
            yield told
    seen.complain()


def _pieces(part: Part, limits: Limits) -> Iterable[Part]:
    if isinstance(part, Page):
        return _split(part, limits.max_chars)
    return (replace(part, load=partial(_loaded, part.load)) if isinstance(part, Child) else part,)


def _loaded(load: Callable[[], bytes]) -> bytes:
    with told_of_disk():
        return load()


def _is_blank(part: Part) -> TypeGuard[UnreadPage]:
    return isinstance(part, UnreadPage) and part.cause == BLANK


class _Seen:
    """What came of a file so far: more than the limits allow is too much, and no word in it too little."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._pages = self._read = self._children = 0
        self._worded = False
        self._causes: set[str] = set()

    def count(self, part: Part) -> None:
        """Take one part into account. Raises DocumentError("too_large")."""
        if isinstance(part, Child):
            self._children += 1
            if self._children > self._limits.max_children:
                raise _too_many(f"files inside than the {self._limits.max_children:,} that are read")
        elif not isinstance(part, DocumentInfo):
            self._pages += 1
            if self._pages > self._limits.max_pages:
                raise _too_many(f"pages or parts than the {self._limits.max_pages:,} that are read")
        if isinstance(part, UnreadPage) and part.cause == KNOWN:
            self._read += 1
            self._worded = True
        elif isinstance(part, UnreadPage):
            self._causes.add(part.cause)
        elif isinstance(part, Page):
            self._read += 1
            self._worded = self._worded or any(map(str.isalnum, part.text))

    def complain(self) -> None:
        """Raise DocumentError for a file in which nothing was found."""
        if self._children or (self._pages and not self._limits.recognise):
            return
        if self._pages and not self._read:
            pages = "No page" if self._pages > 1 else "The page"
            verb = "could be read" if self._pages > 1 else "could not be read"
            raise DocumentError(
                "unreadable",
                f"{pages} {verb}: {', '.join(sorted(self._causes))}.",
                "If it is a scan, scan it again, sharper and straight; 300 dots per inch are best.",
            )
        if not self._worded:
            raise _empty("The file has no words in it.")


def _too_many(what: str) -> DocumentError:
    return DocumentError("too_large", f"The file has more {what}.", "Split it into smaller files and add those.")


def _split(page: Page, longest: int) -> Iterator[Page]:
    """The page as it is, or cut at block ends, lines or words into parts of at most `longest` characters."""
    if len(page.text) <= longest:
        yield page
        return
    start, part = 0, 1
    while start < len(page.text):
        end = _cut(page, start, longest)
        locator = f"{page.locator}, part {part}" if page.locator else f"part {part}"
        yield Page(page.number, locator, page.text[start:end], _inside(page.blocks, start, end), page.confidence)
        start, part = end, part + 1


def _cut(page: Page, start: int, longest: int) -> int:
    end = start + longest
    if end >= len(page.text):
        return len(page.text)
    half = start + longest // 2
    ends = [block.end for block in page.blocks if half < block.end <= end]
    if ends:
        return ends[-1]
    line = page.text.rfind("\n", half, end)
    if line >= 0:
        return line + 1
    space = _SPACE_FROM_END.search(page.text, max(half, end - 1000), end)
    return space.start() + 1 if space else end


def _inside(blocks: tuple[Block, ...], start: int, end: int) -> tuple[Block, ...]:
    """The parts of `blocks` between the offsets, counted from `start`."""
    return tuple(
        Block(b.kind, max(b.start, start) - start, min(b.end, end) - start, b.level, b.header)
        for b in blocks
        if b.start < end and b.end > start
    )


def _empty(message: str) -> DocumentError:
    return DocumentError("empty", message, "Check that the right file was chosen.")
