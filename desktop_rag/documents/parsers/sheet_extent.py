"""How far the cells of a spreadsheet reach, found before a library lays them all out in memory.

calamine makes a full grid of every sheet, from its first used cell to its last: two words in opposite corners
would take hundreds of gigabytes. What is too wide is drawn together where that is possible, and refused elsewhere.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import IO

from desktop_rag.errors import DocumentError

MOST_CELLS = 8_000_000
"""Cells of the grid of one sheet, empty ones included: about 300 MB."""
MOST_CHARACTERS = 400_000_000
"""Characters in the cells of one sheet, a shared text counted as often as it is used."""
_CHUNK = 1 << 20
_ENCRYPTED, _SHEET_BEGINS, _MANY_NUMBERS = 0x002F, 0x0809, 0x00BD
_OLD_CELLS = frozenset((0x0006, 0x00BD, 0x00D6, 0x00FD, 0x0203, 0x0204, 0x0205, 0x027E, 0x0206, 0x0406))
_TAG = re.compile(
    rb"<(?:\w+:)?(?:row(?=[\s/>])([^>]*)>"
    rb"|c(?:\s+r=[\"']([A-Za-z]{1,3})(\d{1,7})[\"'])?(?=[\s/>])([^>]*)>(?:<(?:\w+:)?v>(\d{1,9})<)?)"
)
_ROW = re.compile(rb"\sr=[\"'](\d{1,7})[\"']")
_PLACE = re.compile(rb"\sr=[\"']([A-Za-z]{1,3})(\d{1,7})[\"']")
_REFERENCE = re.compile(rb"(<(?:\w+:)?c\s[^>]*?\br=[\"'])([A-Za-z]{1,3})(\d)")
_SHARED = re.compile(rb"<(?:\w+:)?si[\s>]")
_ODS = re.compile(
    rb"<table:table(?:-row|-cell|)(?=[\s/>])[^>]*>|<table:covered-table-cell[^>]*>|</table:table-row>|</table:table>"
)
_REPEATED_ROWS = re.compile(rb"(\stable:number-rows-repeated=[\"'])(\d+)")
_REPEATED = re.compile(rb"(\stable:number-(?:rows|columns)-repeated=[\"'])(\d+)")


@dataclass(slots=True)
class _Extent:
    """The cells of one sheet seen so far."""

    first: int = 1 << 40
    last: int = -1
    columns: set[int] = field(default_factory=set)
    characters: int = 0

    def add(self, row: int, column: int, characters: int = 0) -> None:
        if row < self.first:
            self.first = row
        if row > self.last:
            self.last = row
        self.columns.add(column)
        self.characters += characters

    def height(self) -> int:
        return max(0, self.last - self.first + 1)

    def area(self) -> int:
        return self.height() * (max(self.columns) - min(self.columns) + 1) if self.columns else 0


def _far_apart() -> DocumentError:
    return DocumentError(
        "too_large",
        "The cells of a sheet lie so far apart that the sheet is too large to be read.",
        "Delete what stands far away from the tables, or save each sheet as CSV and add those.",
    )


def _check(extent: _Extent, area: int) -> None:
    if area > MOST_CELLS or extent.characters > MOST_CHARACTERS:
        raise _far_apart()


def drawn_together(archive: zipfile.ZipFile) -> bytes | None:
    """A copy of an .xlsx, .xlsb or .ods file whose sheets fit into memory, None if the file itself does.

    Empty columns between far-off cells are taken out, and repeated rows of an .ods are given once. Raises DocumentError
    "too_large" if that does not help.
    """
    changed: dict[str, bytes] = {}
    shared = _shared_lengths(archive)
    for name in archive.namelist():
        if name == "content.xml":
            data = archive.read(name)
            if not _ods_fits(data):
                changed[name] = _said_once(data)
        elif name.endswith(".xml") and _is_sheet(archive, name):
            extent = _of_xml(archive, name, shared)
            _check(extent, extent.height() * len(extent.columns))
            if extent.area() > MOST_CELLS:
                changed[name] = _narrowed(archive.read(name), extent)
        elif name.endswith(".bin") and "worksheets/" in name:
            extent = _of_records(archive.read(name), shared)
            _check(extent, extent.area())
    return _copied(archive, changed) if changed else None


def check_old(workbook: bytes) -> None:
    """Raise DocumentError "too_large" if the sheets of an .xls workbook stream together do not fit into memory."""
    total, extent, position = 0, _Extent(), 0
    while position + 8 <= len(workbook):
        kind, size, row, column = struct.unpack_from("<HHHH", workbook, position)
        if kind == _ENCRYPTED:
            return
        if kind == _SHEET_BEGINS:
            extent = _Extent()
        elif kind in _OLD_CELLS and size >= 4 and (row > extent.last or column not in extent.columns):
            before = extent.area()
            extent.add(row, column)
            if kind == _MANY_NUMBERS and position + 4 + size <= len(workbook):
                extent.columns.add(struct.unpack_from("<H", workbook, position + 2 + size)[0])
            total += extent.area() - before
            _check(extent, total)
        position += 4 + size


def _copied(archive: zipfile.ZipFile, changed: dict[str, bytes]) -> bytes:
    copy = io.BytesIO()
    with zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        for name in dict.fromkeys(archive.namelist()):
            target.writestr(name, changed[name] if name in changed else archive.read(name))
    return copy.getvalue()


def _is_sheet(archive: zipfile.ZipFile, name: str) -> bool:
    with archive.open(name) as part:
        return re.search(rb"<(?:\w+:)?worksheet[\s>]", part.read(4096)) is not None


def _shared_lengths(archive: zipfile.ZipFile) -> list[int]:
    """Bytes of each shared text, by its index."""
    names = archive.namelist()
    for name in names:
        folded = name.lower()
        if folded.endswith("sharedstrings.xml"):
            data = archive.read(name)
            starts = [found.start() for found in _SHARED.finditer(data)]
            return [end - start for start, end in zip(starts, [*starts[1:], len(data)], strict=True)]
        if folded.endswith("sharedstrings.bin"):
            return [size for kind, _, size in _records(archive.read(name)) if kind == 19]
    return []


def _of_xml(archive: zipfile.ZipFile, name: str, shared: list[int]) -> _Extent:
    extent, row, column = _Extent(), 0, 0
    with archive.open(name) as part:
        for found in (found for chunk in _chunks(part) for found in _TAG.finditer(chunk)):
            of_row, letters, digits, attributes, value = found.groups()
            if of_row is not None:
                place = _ROW.search(of_row)
                row, column = int(place[1]) if place else row + 1, 0
                continue
            if letters is None and (place := _PLACE.search(attributes)):
                letters, digits = place.groups()
            # A cell that does not say where it is stands next to the one before it.
            row, column = (row, column + 1) if letters is None else (int(digits), _number(letters))
            text = value is not None and (b't="s"' in attributes or b"t='s'" in attributes)
            index = int(value) if text else len(shared)
            extent.add(row, column, shared[index] if index < len(shared) else 0)
    return extent


def _chunks(part: IO[bytes]) -> Iterator[bytes]:
    """The content in pieces that end before a cell begins."""
    rest = b""
    while data := part.read(_CHUNK):
        data = rest + data
        cut = max(data.rfind(b"<c "), data.rfind(b":c "))
        cut = data.rfind(b"<", 0, cut + 1) if cut > 0 else len(data)
        rest = data[cut:]
        yield data[:cut]
    yield rest


def _number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _letters(number: int) -> bytes:
    letters = b""
    while number:
        number, letter = divmod(number - 1, 26)
        letters = bytes((65 + letter,)) + letters
    return letters


def _narrowed(data: bytes, extent: _Extent) -> bytes:
    """The sheet with its columns side by side."""
    columns = sorted(extent.columns)

    def placed(found: re.Match[bytes]) -> bytes:
        return found[1] + _letters(bisect_left(columns, _number(found[2])) + 1) + found[3]

    return _REFERENCE.sub(placed, data)


def _records(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(kind, position of the content, size) of each record of a binary part."""
    position = 0
    while position < len(data):
        kind, position = data[position], position + 1
        if kind & 0x80 and position < len(data):
            kind, position = (kind & 0x7F) | (data[position] & 0x7F) << 7, position + 1
        size = shift = 0
        for byte in data[position : position + 4]:
            size, shift, position = size | (byte & 0x7F) << shift, shift + 7, position + 1
            if not byte & 0x80:
                break
        yield kind, position, size
        position += size


def _of_records(data: bytes, shared: list[int]) -> _Extent:
    extent, row = _Extent(), 0
    for kind, at, _ in _records(data):
        if kind == 0:
            row = int.from_bytes(data[at : at + 4], "little")
        elif 1 <= kind <= 11:
            index = int.from_bytes(data[at + 8 : at + 12], "little") if kind == 7 else len(shared)
            extent.add(row, int.from_bytes(data[at : at + 4], "little"), shared[index] if index < len(shared) else 0)
    return extent


def _said_once(data: bytes) -> bytes:
    """An OpenDocument table in which repeated rows, and if need be cells, are given once."""
    for repeated in (_REPEATED_ROWS, _REPEATED):
        data = repeated.sub(rb"\g<1>1", data)
        if _ods_fits(data):
            return data
    raise _far_apart()


def _ods_fits(data: bytes) -> bool:
    """Whether the sheets of an OpenDocument table fit into memory when all that is repeated is written out."""
    total = height = width = filled = repeat = 0
    cells: list[tuple[int, bool]] = []
    for found in _ODS.finditer(data):
        tag = found[0]
        if tag.startswith(b"<table:table-row"):
            repeat, cells = _repeat(tag), []
        elif tag.startswith((b"<table:table-cell", b"<table:covered")):
            cells.append((_repeat(tag), b":value" in tag or not tag.endswith(b"/>")))
        elif tag == b"</table:table-row>":
            used = [end for end, (_, full) in zip(accumulate(c for c, _ in cells), cells, strict=True) if full]
            height += repeat
            if used:
                filled, width = height, max(width, used[-1])
        elif tag == b"</table:table>":
            total += filled * width
            height = width = filled = 0
    # Its reader takes about twice the memory of the others.
    return total + filled * width <= MOST_CELLS // 2


def _repeat(tag: bytes) -> int:
    found = _REPEATED.search(tag)
    return min(int(found[2][:9]), 1 << 24) if found else 1
