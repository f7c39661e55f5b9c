"""The text of one PDF page, the same every time, with the way back to pdfium's characters.

pdfium numbers the characters of a page; its text leaves a few out, ends lines with CR LF and marks a
hyphen at the end of a line with U+FFFE. Here lines end with LF, words broken at a line end are whole
again, right-to-left text stands in the order in which it is read, and `PageText.character` gives for an
offset in the text the number of pdfium's character.
"""

from __future__ import annotations

import ctypes
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

from desktop_rag.documents.parsers.pdf_rtl import DROPPED, RIGHT_TO_LEFT, in_reading_order

TextPage = Any
"""A pypdfium2.PdfTextPage; the library comes without type information."""

# A carriage return, pdfium's mark for a hyphen at a line end, half a character outside the basic plane, or
# what was to be left out.
_SPECIAL = re.compile(f"[\r\ufffe\ud800-\udfff{DROPPED}]")
# Whatever keeps a page from being pdfium's own text with other line ends; most pages have none of it.
_UNUSUAL = re.compile(f"[\x00-\x08\x0b-\x1f\ufffe\uffff\ud800-\udfff{DROPPED}{RIGHT_TO_LEFT}]")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\uffff]")
_HYPHEN = "\ufffe"


@dataclass(frozen=True, slots=True)
class PageText:
    """`text` as stored in Page.text; `cuts` are the offsets at which characters of pdfium were left out before.

    `moved` has the characters of pdfium that stand elsewhere in the text: place among them -> number.
    """

    text: str
    cuts: tuple[int, ...]
    moved: dict[int, int] = field(default_factory=dict)

    def character(self, offset: int) -> int:
        """The number of pdfium's character at `offset` of the text."""
        place = offset + bisect_right(self.cuts, offset)
        return self.moved.get(place, place)

    def characters(self, start: int, end: int) -> tuple[int, int]:
        """The numbers of pdfium's characters at the first and the last offset of a stretch; quicker than one by one."""
        cuts = self.cuts
        before = within = bisect_right(cuts, start)
        while within < len(cuts) and cuts[within] < end:
            within += 1
        first, last = start + before, end - 1 + within
        return (self.moved.get(first, first), self.moved.get(last, last)) if self.moved else (first, last)


def page_text(textpage: TextPage) -> PageText:
    """Extract the text of an opened page."""
    raw = _raw(textpage)
    lines = raw.split("\r\n")
    text = "\n".join(lines)
    if not _UNUSUAL.search(text):
        ends = accumulate(len(line) + 1 for line in lines[:-1])
        return PageText(text, tuple(end - 1 for end in ends))
    raw, moved = in_reading_order(raw, textpage)
    cuts: list[int] = []
    parts: list[str] = []
    at = 0
    for match in _SPECIAL.finditer(raw):
        place = match.start()
        kept = "" if raw.startswith("\r\n", place) else _kept(raw, place)
        parts += raw[at:place], kept
        if not kept:
            cuts.append(place - len(cuts))
        at = place + 1
    parts.append(raw[at:])
    return PageText(_CONTROLS.sub("\ufffd", "".join(parts)), tuple(cuts), moved)


def _kept(raw: str, place: int) -> str:
    """What stays of a special character, other than of CR LF: nothing, or exactly one character."""
    char = raw[place]
    if char == DROPPED:
        return ""
    following = raw[place + 1 : place + 2]
    if char == "\r":
        return "\n"
    if char == _HYPHEN:
        # A broken word goes on in lower case; "Smith-Jones" and "COVID-19" keep their hyphen.
        return "" if following.islower() else "-"
    if char <= "\udbff" and "\udc00" <= following <= "\udfff":
        return (char + following).encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    if char >= "\udc00" and place and "\ud800" <= raw[place - 1] <= "\udbff":
        return ""
    return "\ufffd"


def _raw(textpage: TextPage) -> str:
    """One code unit for each of pdfium's characters, in order."""
    count = pdfium.FPDFText_CountChars(textpage)
    if count <= 0:
        return ""
    buffer = (ctypes.c_ushort * (count + 1))()
    written = pdfium.FPDFText_GetText(textpage, 0, count, buffer)
    if written == count + 1:
        text = bytes(memoryview(buffer)[:count]).decode("utf-16-le", "surrogatepass")
        # Decoding joins the halves of a character outside the basic plane, which pdfium counts as two.
        return text if len(text) == count else "".join(map(chr, buffer[:count]))
    return "".join(_character(textpage, index) for index in range(count))


def _character(textpage: TextPage, index: int) -> str:
    """The slow way, for the few pages whose text leaves characters out: one call for each character."""
    code = pdfium.FPDFText_GetUnicode(textpage, index)
    if code == 2 and pdfium.FPDFText_IsHyphen(textpage, index) == 1:
        return _HYPHEN
    return chr(code) if 0 < code <= 0x10FFFF else "\ufffd"
