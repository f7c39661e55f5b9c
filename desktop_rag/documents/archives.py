"""What archives claim about themselves: sizes checked before anything is unpacked, names made harmless."""

from __future__ import annotations

import errno
import re
import struct
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import PurePosixPath
from typing import BinaryIO

from desktop_rag.documents.limits import Limits
from desktop_rag.documents.source import Source
from desktop_rag.errors import DocumentError

# A few kilobytes of repeated XML may pack very well without meaning any harm.
_HARMLESS = 20_000_000
# Room for far more entries than are read; `zipfile` makes an object of several hundred bytes for each of them.
_MAX_DIRECTORY = 8_000_000
_LOCAL_HEADER = 30
_END, _END_64 = b"PK\x05\x06", b"PK\x06\x06"
_END_SIZE, _END_64_SIZE, _LOCATOR_SIZE = 22, 56, 20
# Control characters, line separators, marks that turn the direction of a name around, and halves of characters.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_SURROGATES = re.compile("[\ud800-\udfff]")
_OF_THE_SYSTEM = frozenset(("__macosx", "thumbs.db", "desktop.ini"))
_DRIVE = re.compile("[A-Za-z]:")
_LONGEST_NAME = 120
_DEEPEST_FOLDER = 12

BROKEN = (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, ValueError, EOFError, OverflowError)
"""What `zipfile` raises for files that are no archives it can read."""


@contextmanager
def opened(source: Source, kind: type[zipfile.ZipFile] = zipfile.ZipFile) -> Iterator[zipfile.ZipFile]:
    """The archive, closed afterwards; raises one of BROKEN if it is none, DocumentError if its list of files alone
    is too much for memory. `kind` is what opens it.
    """
    with source.open() as stream:
        _check_directory(stream)
        try:
            archive = kind(stream)
        except OSError as failure:
            # A wrong offset makes for a seek to nowhere; anything else is the disk's failure.
            if failure.errno != errno.EINVAL:
                raise
            raise zipfile.BadZipFile("offset outside the file") from failure
        with archive:
            yield archive


def members(source: Source) -> frozenset[str]:
    """Names in the archive, the empty set if it is no readable archive."""
    try:
        with opened(source) as archive:
            return frozenset(archive.namelist())
    except BROKEN:
        return frozenset()


def check(archive: zipfile.ZipFile, limits: Limits) -> None:
    """Refuse a zipped document that could do harm (see check_sizes) or has a password ("encrypted")."""
    check_sizes(archive, limits)
    if is_encrypted(archive.infolist()):
        raise DocumentError(
            "encrypted", "The file is protected by a password.", "Save a copy without the password and add that."
        )
    if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in archive.infolist()):
        # Of the other methods `zipfile` unpacks a whole block at once, however large it becomes.
        raise DocumentError(
            "unreadable",
            "The file is damaged: it is packed in a way that documents never are.",
            "Open it in the program that made it and save it again.",
        )


def check_sizes(archive: zipfile.ZipFile, limits: Limits) -> None:
    """Raise DocumentError "too_large" for an archive that would unpack to far more than it is, "unreadable" for one
    whose entries share bytes, which lets a small file hold any amount.

    The sizes come from the central directory; `zipfile` never unpacks a member beyond the size given there.
    """
    entries = archive.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if len(entries) > limits.max_zip_entries:
        raise DocumentError(
            "too_large",
            f"The file holds {len(entries):,} parts inside; at most {limits.max_zip_entries:,} are read.",
            "Open it in the program that made it and save a simpler copy.",
        )
    if unpacked > limits.max_unpacked_bytes or too_tight(unpacked, packed, limits):
        raise DocumentError(
            "too_large",
            f"The file would unpack to {unpacked // 1_000_000:,} MB, which is more than is read.",
            "A normal document never packs this tightly: check where the file comes from.",
        )
    if _overlapping(entries):
        raise DocumentError(
            "unreadable",
            "The file is damaged or made to do harm: parts inside it lie on top of each other.",
            "Check where the file comes from.",
        )


def too_tight(unpacked: int, packed: int, limits: Limits) -> bool:
    """Whether so much comes out of so few bytes that it can only be meant to do harm."""
    return unpacked > _HARMLESS and unpacked > limits.max_zip_ratio * max(packed, 1)


def is_clutter(name: str) -> bool:
    """Whether nobody put this file into the archive: a hidden one, or what a system leaves behind."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return not parts or any(part.startswith(".") or part.lower() in _OF_THE_SYSTEM for part in parts)


def is_encrypted(entries: Sequence[zipfile.ZipInfo]) -> bool:
    """Whether a password is needed for any of these."""
    return any(entry.flag_bits & 1 for entry in entries)


def _overlapping(entries: Sequence[zipfile.ZipInfo]) -> bool:
    spans = sorted((entry.header_offset, entry.compress_size) for entry in entries)
    return any(start + _LOCAL_HEADER + size > following for (start, size), (following, _) in pairwise(spans))


def _check_directory(stream: BinaryIO) -> None:
    """Refuse an archive whose list of members would fill the memory while `zipfile` opens it."""
    size = stream.seek(0, 2)
    stream.seek(max(0, size - 65_536 - _END_SIZE - _LOCATOR_SIZE - _END_64_SIZE))
    tail = stream.read()
    stream.seek(0)
    at = len(tail) - _END_SIZE
    if at < 0 or not (tail.startswith(_END, at) and tail.endswith(b"\x00\x00")):
        at = tail.rfind(_END)
    if at < 0 or at + 16 > len(tail):
        return
    directory = struct.unpack_from("<L", tail, at + 12)[0]
    wide = at - _LOCATOR_SIZE - _END_64_SIZE
    if wide >= 0 and tail.startswith(_END_64, wide):
        directory = struct.unpack_from("<Q", tail, wide + 40)[0]
    if min(directory, size) > _MAX_DIRECTORY:
        raise DocumentError(
            "too_large",
            "The file holds far more parts inside than are read.",
            "Open it in the program that made it and save a simpler copy.",
        )


class Names:
    """Names for the files inside another one: relative, without control characters, each given once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._copies: dict[str, int] = {}

    def give(self, raw: str, *, folders: bool = False, otherwise: str = "file") -> str:
        """A harmless name as near to `raw` as can be; its folders are kept only on request."""
        parts = [_harmless(part) for part in raw.replace("\\", "/").split("/")]
        parts = [part for part in parts if part and not _DRIVE.fullmatch(part)]
        return self._once("/".join(parts[-_DEEPEST_FOLDER:] if folders else parts[-1:]) or otherwise)

    def _once(self, name: str) -> str:
        given = name
        suffix = PurePosixPath(name).suffix
        while given in self._taken:
            # The count is kept, so that a thousand files of one name do not take a million steps.
            self._copies[name] = number = self._copies.get(name, 1) + 1
            given = f"{name.removesuffix(suffix)} ({number}){suffix}"
        self._taken.add(given)
        return given


def _harmless(part: str) -> str:
    part = " ".join(_CONTROLS.sub(" ", _SURROGATES.sub("\ufffd", part)).split()).rstrip(". ")
    if len(part) > _LONGEST_NAME:
        suffix = PurePosixPath(part).suffix[-20:]
        part = part[: _LONGEST_NAME - len(suffix)] + suffix
    return part
