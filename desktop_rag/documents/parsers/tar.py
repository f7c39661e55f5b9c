"""TAR archives: every file inside as a child, named with its folders; links, devices and pipes are passed over."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from functools import partial
from typing import Self

from desktop_rag.documents.archives import Names, is_clutter
from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo, UnreadPage
from desktop_rag.documents.source import Child, Source, stem
from desktop_rag.errors import DocumentError

_BLOCK = tarfile.BLOCKSIZE
# Names and the like; `tarfile` searches them in a time that may grow with the square of their length.
_LONGEST_EXTENSION = 16_384
_EXTENSIONS = frozenset((*tarfile.GNU_TYPES[:2], tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE))
_BROKEN = (tarfile.TarError, ValueError, EOFError, OverflowError, RecursionError, IndexError, KeyError)
"""What `tarfile` raises for archives that contradict themselves."""


class _Entry(tarfile.TarInfo):
    """What is said of a file in the archive; one whose name alone takes more than a name may is refused."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """One block of the archive."""
        found = super().frombuf(buf, encoding, errors)
        if found.type in _EXTENSIONS and found.size > _LONGEST_EXTENSION:
            raise tarfile.ReadError("names too long")
        return found


def parse(
    source: Source, *, limits: Limits, password: str | None = None
) -> Iterator[DocumentInfo | Child | UnreadPage]:
    """A child for each file, in their order; a page that was not read if the archive ends before it should."""
    entries, whole = _entries(source, limits)
    files = [entry for entry in entries if entry.isreg() and not is_clutter(entry.name)]
    if not files:
        raise DocumentError("empty", "There is no file in the archive.", "Check that the right file was chosen.")
    yield DocumentInfo("tar", stem(source), None)
    given = Names()
    for entry in files:
        name = given.give(entry.name, folders=True)
        yield Child(name, entry.size, partial(_content, source, entry.offset_data, entry.size, entry.issparse()))
    if not whole:
        yield UnreadPage(None, None, "the archive is damaged or ends early: files may be missing")


def _entries(source: Source, limits: Limits) -> tuple[list[tarfile.TarInfo], bool]:
    """(what is listed in the archive, whether it is so up to the archive's end)."""
    entries: list[tarfile.TarInfo] = []
    with source.open() as stream:
        try:
            with tarfile.open(fileobj=stream, mode="r:", tarinfo=_Entry, errorlevel=0) as archive:
                for entry in archive:
                    entries.append(entry)
                    if len(entries) > limits.max_zip_entries:
                        raise DocumentError(
                            "too_large",
                            f"The archive holds more than {limits.max_zip_entries:,} files.",
                            "Unpack it yourself and add the files you need.",
                        )
                end = archive.offset
        except _BROKEN as failure:
            if not entries:
                raise _damaged() from failure
            return entries, False
        # `tarfile` takes the first block that makes no sense for the end, which is marked by one of zeros.
        stream.seek(end)
        return entries, stream.read(_BLOCK) == bytes(_BLOCK)


def _content(source: Source, start: int, size: int, sparse: bool) -> bytes:
    if sparse:
        raise DocumentError(
            "unsupported",
            "The file is packed with its gaps left out, which is not read here.",
            "Unpack the archive in another program and add the file.",
        )
    with source.open() as stream:
        stream.seek(start)
        data = stream.read(size)
    if len(data) < size:
        raise _damaged()
    return data


def _damaged() -> DocumentError:
    return DocumentError(
        "unreadable", "The archive is damaged or ends early.", "It may be an unfinished download: get it again."
    )
