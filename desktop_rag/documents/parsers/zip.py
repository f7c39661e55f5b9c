"""ZIP archives: every file inside as a child, named with its folders; nothing is unpacked before it is asked for."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from lzma import LZMAError
from typing import Any

import pyzipper  # type: ignore[import-untyped]

from desktop_rag.documents.alphabets import LATIN
from desktop_rag.documents.archives import BROKEN, Names, check_sizes, is_clutter, opened
from desktop_rag.documents.encodings import decode
from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo
from desktop_rag.documents.parsers.packed import unpacked
from desktop_rag.documents.passwords import wrong_password
from desktop_rag.documents.source import Child, MemorySource, Source, stem
from desktop_rag.errors import DocumentError

_CHUNK = 1 << 20
# `zipfile` bounds what one call unpacks for the usual method only. A few kilobytes of LZMA become tens of MB at most,
# those of bzip2 several GB.
_SMALL_CHUNK = 4096
_BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BROKEN = (*BROKEN, pyzipper.BadZipFile, zlib.error, LZMAError, struct.error)
# Within the header of a file: how long its name is, and what follows that.
_LENGTHS_AT = 26
_STRONG = 0x40
_UTF8 = 0x800
_PASSWORD_ENCODINGS = ("utf-8", "cp1252", "cp437")


def parse(source: Source, *, limits: Limits, password: str | None = None) -> Iterator[DocumentInfo | Child]:
    """A child for each file, in their order; hidden files and what systems leave behind are passed over."""
    with _readable(), opened(source) as archive:
        check_sizes(archive, limits)
        entries = archive.infolist()
        names = _names(entries)
        wanted = [index for index, entry in enumerate(entries) if _is_wanted(entry, names[index])]
        if not wanted:
            raise DocumentError("empty", "There is no file in the archive.", "Check that the right file was chosen.")
        locked = [index for index in wanted if entries[index].flag_bits & 1]
    key = _key(source, locked, password) if locked else None
    yield DocumentInfo("zip", stem(source), None)
    given = Names()
    for index in wanted:
        entry = entries[index]
        load = partial(_unpacked, source, index, entry, key, limits)
        yield Child(given.give(names[index], folders=True), entry.file_size, load)


def _is_wanted(entry: zipfile.ZipInfo, name: str) -> bool:
    is_file = not name.endswith(("/", "\\")) and not stat.S_ISLNK(entry.external_attr >> 16)
    return is_file and not is_clutter(name)


def _names(entries: list[zipfile.ZipInfo]) -> list[str]:
    """The names as they were written: archives that do not say so are often not in the encoding of the standard."""
    unclear = [entry.filename for entry in entries if not entry.flag_bits & _UTF8]
    _, encoding = decode("\n".join(unclear).encode("cp437", "replace"))
    # Western letters are what the standard's own encoding has; the guess is for the other scripts.
    if encoding in LATIN:
        return [entry.filename for entry in entries]
    return [
        entry.filename
        if entry.flag_bits & _UTF8
        else entry.filename.encode("cp437", "replace").decode(encoding, "replace")
        for entry in entries
    ]


def _key(source: Source, locked: list[int], password: str | None) -> bytes:
    """What decrypts the entries with these numbers. Raises DocumentError("encrypted")."""
    with _readable(), _opened(source) as archive:
        entries = [archive.infolist()[index] for index in locked]
        if any(entry.flag_bits & _STRONG for entry in entries):
            raise DocumentError(
                "encrypted",
                "The archive is encrypted in a way that cannot be opened here.",
                "Unpack it with its password in another program and add the files.",
            )
        # The smallest one tells soonest: the password is certain only at the end of a file.
        packed_safely = [entry for entry in entries if entry.compress_type != zipfile.ZIP_BZIP2]
        probe = min(packed_safely, key=lambda entry: entry.file_size, default=None)
        for key in dict.fromkeys((password or "").encode(encoding, "replace") for encoding in _PASSWORD_ENCODINGS):
            if key and (probe is None or _opens(archive, probe, key)):
                return key
    raise wrong_password(password, "archive")


def _opened(source: Source) -> AbstractContextManager[Any]:
    """The archive as pyzipper opens it, which the standard library's way has to be checked with first: it knows AES."""
    return opened(source, pyzipper.AESZipFile)


def _opens(archive: Any, entry: Any, key: bytes) -> bool:
    try:
        with archive.open(entry, pwd=key) as stream:
            while stream.read(_SMALL_CHUNK):
                pass
    except (RuntimeError, *_BROKEN):
        return False
    return True


def _unpacked(source: Source, index: int, expected: zipfile.ZipInfo, key: bytes | None, limits: Limits) -> bytes:
    """The bytes of one file; counted while they come, whatever the archive says of their number."""
    with _readable(), _opened(source) if key else opened(source) as archive:
        entries = archive.infolist()
        if index >= len(entries) or entries[index].header_offset != expected.header_offset:
            raise DocumentError("not_found", "The archive has changed since it was opened.", "Add it again.")
        entry = entries[index]
        if entry.compress_type == zipfile.ZIP_BZIP2:
            return _of_bzip2(archive, entry, limits)
        size = _CHUNK if entry.compress_type in _BOUNDED else _SMALL_CHUNK
        pieces: list[bytes] = []
        total = 0
        with archive.open(entry, pwd=key) as stream:
            while piece := stream.read(size):
                total += len(piece)
                if total > limits.max_unpacked_bytes:
                    raise DocumentError(
                        "too_large",
                        f"The file unpacks to more than {limits.max_unpacked_bytes // 1_000_000:,} MB.",
                        "Unpack the archive yourself and add the files you need.",
                    )
                pieces.append(piece)
    return b"".join(pieces)


def _of_bzip2(archive: Any, entry: Any, limits: Limits) -> bytes:
    """The same for the one method of which `zipfile` may unpack gigabytes in a single step."""
    if entry.flag_bits & 1:
        raise NotImplementedError
    stream = archive.fp
    stream.seek(entry.header_offset + _LENGTHS_AT)
    names, extra = struct.unpack("<HH", stream.read(4))
    stream.seek(names + extra, os.SEEK_CUR)
    data = unpacked(MemorySource("", stream.read(entry.compress_size)), "bz2", limits)
    if zlib.crc32(data) != entry.CRC:
        raise zipfile.BadZipFile("wrong checksum")
    return data


@contextmanager
def _readable() -> Iterator[None]:
    """Say in plain words what `zipfile` and the methods it unpacks with complain about."""
    try:
        yield
    except NotImplementedError as failure:
        raise DocumentError(
            "unsupported",
            "The file is packed by a method that cannot be read here.",
            "Unpack it in another program and add the files.",
        ) from failure
    except RuntimeError as failure:
        raise DocumentError(
            "encrypted", "The password does not open this file.", "Check it and try again."
        ) from failure
    except _BROKEN as failure:
        raise _damaged() from failure
    except OSError as failure:
        # Damaged bzip2 data raises it without a number; with one, it is the disk that failed.
        if failure.errno is not None:
            raise
        raise _damaged() from failure


def _damaged() -> DocumentError:
    return DocumentError(
        "unreadable",
        "The archive is damaged and cannot be unpacked.",
        "It may be an unfinished download: get it again.",
    )
