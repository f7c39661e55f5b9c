"""Copies, in memory, of a damaged PDF that stand a chance of being opened."""

from __future__ import annotations

import re
from collections.abc import Iterator

from desktop_rag.documents.source import Source

_MAX_BYTES = 64_000_000
_OBJECT = re.compile(rb"(?<![0-9])([0-9]{1,7})[ \t\r\n]+0[ \t\r\n]+obj\b")
_CATALOG = re.compile(rb"/Type\s*/Catalog\b")
_PAGE = re.compile(rb"/Type\s*/Page\b")
_REACH = 4000


def repairs(source: Source) -> Iterator[bytes]:
    """The file with a new table of the objects found in it; then also with a new list of its pages.

    Nothing for a file too large to be held twice in memory, or for an encrypted one, whose key a new
    trailer would lose.
    """
    if source.size > _MAX_BYTES:
        return
    with source.open() as stream:
        data = stream.read()
    if b"/Encrypt" in data:
        return
    # Of two objects with one number the later one counts: it is the newer.
    places = {int(match.group(1)): match.start(1) for match in _OBJECT.finditer(data)}
    catalogs = _holding(data, places, _CATALOG)
    if catalogs:
        yield _with_table(data, places, catalogs[-1])
    pages = _holding(data, places, _PAGE)
    if pages:
        tree = max(places) + 1
        kids = b" ".join(b"%d 0 R" % number for number in pages)
        addition = b"\n%d 0 obj\n<< /Type /Pages /Kids [%s] /Count %d >>\nendobj\n" % (tree, kids, len(pages))
        root = b"%d 0 obj\n<< /Type /Catalog /Pages %d 0 R >>\nendobj\n" % (tree + 1, tree)
        grown = {**places, tree: len(data) + 1, tree + 1: len(data) + len(addition)}
        yield _with_table(data + addition + root, grown, tree + 1)


def _holding(data: bytes, places: dict[int, int], mark: re.Pattern[bytes]) -> list[int]:
    """Numbers of the objects, in the order of the file, whose dictionary holds `mark` near its start."""
    found = []
    for number, place in sorted(places.items(), key=lambda item: item[1]):
        end = data.find(b"endobj", place, place + _REACH)
        if mark.search(data, place, end if end >= 0 else place + _REACH):
            found.append(number)
    return found


def _with_table(data: bytes, places: dict[int, int], root: int) -> bytes:
    entries = b"".join(b"%d 1\n%010d 00000 n \n" % (number, place) for number, place in sorted(places.items()))
    trailer = b"trailer\n<< /Root %d 0 R /Size %d >>" % (root, max(places) + 1)
    return data + b"\nxref\n0 1\n0000000000 65535 f \n%s%s\nstartxref\n%d\n%%%%EOF\n" % (
        entries,
        trailer,
        len(data) + 1,
    )
