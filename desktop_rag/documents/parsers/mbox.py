"""Mailboxes in one file: a page for each mail, its attachments as children; read mail by mail, never as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo, UnreadPage
from desktop_rag.documents.parsers import mime
from desktop_rag.documents.parsers.mail import Mailed, Sorted, named, pages
from desktop_rag.documents.source import Child, Source, stem
from desktop_rag.errors import DocumentError

_LINE = 1 << 16
_LONGEST_SEPARATOR = 200
# The line before each mail. Text may hold lines like it, so the next one has to be a header as well, and either the
# line has a time and a year or it has an address and stands after a blank line.
_DATED = re.compile(rb"From .*\d{1,2}:\d{2}.*\b(?:19|20)\d{2}\b")
_ADDRESSED = re.compile(rb"From (?:\S+@\S+|-|MAILER-DAEMON)(?:\s|$)")
_HEADER = re.compile(rb">?From |[!-9;-~]{1,76}[ \t]*:")
_ESCAPED = re.compile(rb"(?m)^>(>*From )")


def parse(source: Source, *, limits: Limits, password: str | None = None) -> Iterator[DocumentInfo | Mailed]:
    """A page without number for each mail, located by "message 3", then its attachments."""
    yield DocumentInfo("mbox", stem(source), None)
    with source.open() as stream:
        for number, place in enumerate(_mails(stream), 1):
            yield from _mail(source, place, number, limits)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a mail lies in the file."""

    start: int
    end: int


def _mail(source: Source, place: _Place, number: int, limits: Limits) -> Iterator[Mailed]:
    where = f"message {number}"
    try:
        mail = _parsed(source, place, limits)
    except DocumentError as failure:
        yield UnreadPage(None, where, failure.message)
        return
    parts = Sorted.of(mail)
    yield from pages(mail, parts, where)
    for index, (name, part) in enumerate(named(parts.files)):
        # Bound to the place, not to the part: a list of all children must not hold the mailbox in memory.
        yield Child(f"{where}/{name}", part.size, partial(_attachment, source, place, index, limits))


def _parsed(source: Source, place: _Place, limits: Limits) -> mime.Part:
    if place.end - place.start > limits.max_text_bytes:
        raise DocumentError("too_large", f"the mail has more than {limits.max_text_bytes // 1_000_000} MB")
    with source.open() as stream:
        stream.seek(place.start)
        data = stream.read(place.end - place.start)
    return mime.parse(_ESCAPED.sub(rb"\1", data), limits)


def _attachment(source: Source, place: _Place, index: int, limits: Limits) -> bytes:
    files = Sorted.of(_parsed(source, place, limits)).files
    if index >= len(files):
        raise DocumentError("not_found", "The mailbox has changed since it was opened.", "Add it again.")
    return files[index].content()


def _mails(stream: BinaryIO) -> Iterator[_Place]:
    """Where each mail lies, the line before it left out; only the lines at hand are in memory."""
    start = at = 0
    blank = True
    separator: int | None = None
    whole = True
    while line := stream.readline(_LINE):
        if separator is not None:
            if _HEADER.match(line):
                if separator > start:
                    yield _Place(start, separator)
                start = at
            separator = None
        if whole and line.startswith(b"From ") and _is_separator(line[:_LONGEST_SEPARATOR], blank):
            separator = at
        blank = whole and not line.strip()
        whole = line.endswith(b"\n")
        at += len(line)
    if at > start:
        yield _Place(start, at)


def _is_separator(line: bytes, after_blank: bool) -> bool:
    return bool(_DATED.match(line) or (after_blank and _ADDRESSED.match(line)))
