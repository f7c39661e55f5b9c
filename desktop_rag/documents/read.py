"""A file on disk to its pages: the one way into this package.

`read` decides on the format by content, lets the format's parser work page by page and sees to it
that what went wrong is said once, clearly, and that no unread page looks like an empty one.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path

from desktop_rag.documents.formats import SUPPORTED_SUFFIXES, detect, is_supported
from desktop_rag.documents.limits import DEFAULT_LIMITS, Limits
from desktop_rag.documents.model import Block, DocumentInfo, Page
from desktop_rag.documents.parsers import PARSERS, Part
from desktop_rag.documents.walk import walk
from desktop_rag.errors import DocumentError

__all__ = ["SUPPORTED_SUFFIXES", "Limits", "is_supported", "read", "walk"]

_SPACE_FROM_END = re.compile(r"\s\S*\Z")


def read(path: Path, *, limits: Limits = DEFAULT_LIMITS, password: str | None = None) -> Iterator[Part]:
    """One DocumentInfo, then a Page or an UnreadPage for each page as soon as it is read.

    Every `yield` is a cancel point: closing the generator closes the file. Raises DocumentError with code
    "not_found", "unsupported", "encrypted", "empty", "too_large" or "unreadable"; also at the end, if no page
    could be read.
    """
    try:
        _check_file(path, limits)
        parse = PARSERS[detect(path)]()
        yield from _checked(parse(path, limits=limits, password=password), limits)
    except FileNotFoundError as failure:
        raise _not_found() from failure
    except PermissionError as failure:
        raise DocumentError(
            "unreadable", "You have no permission to read this file.", "Change its permissions, or copy it."
        ) from failure
    except OSError as failure:
        reason = f" ({failure.strerror})" if failure.strerror else ""
        raise DocumentError(
            "unreadable",
            f"The file could not be read from its disk{reason}.",
            "Check that the disk or network folder is connected and try again.",
            retryable=True,
        ) from failure


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
    pages = read_pages = worded = 0
    for part in parts:
        if isinstance(part, DocumentInfo):
            yield part
            continue
        for piece in _split(part, limits.max_chars) if isinstance(part, Page) else (part,):
            pages += 1
            if pages > limits.max_pages:
                raise DocumentError(
                    "too_large",
                    f"The file has more than {limits.max_pages:,} pages or parts.",
                    "Split it into smaller files and add those.",
                )
            if isinstance(piece, Page):
                read_pages += 1
                worded = worded or any(map(str.isalnum, piece.text))
            yield piece
    if pages and not read_pages:
        raise DocumentError(
            "unreadable",
            f"{'The page is a picture' if pages == 1 else f'All {pages:,} pages are pictures'} without text; "
            "reading scans is not available yet.",
            "Run it through a text recognition program (OCR) and add the result.",
        )
    if not worded:
        raise _empty("The file has no words in it.")


def _split(page: Page, longest: int) -> Iterator[Page]:
    """The page as it is, or cut at block ends, lines or words into parts of at most `longest` characters."""
    if len(page.text) <= longest:
        yield page
        return
    start, part = 0, 1
    while start < len(page.text):
        end = _cut(page, start, longest)
        locator = f"{page.locator}, part {part}" if page.locator else f"part {part}"
        yield Page(page.number, locator, page.text[start:end], _inside(page.blocks, start, end))
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


def _not_found() -> DocumentError:
    return DocumentError(
        "not_found", "The file is not there any more.", "It may have been moved, renamed or deleted: add it again."
    )


def _empty(message: str) -> DocumentError:
    return DocumentError("empty", message, "Check that the right file was chosen.")
