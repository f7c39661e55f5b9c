"""Arabic, Hebrew and their relatives as pdfium gives them, put into the order in which they are read.

A font may draw several letters as one glyph (lam and alef, whole words of calligraphy) and say which they are.
pdfium turns each stretch of right-to-left text round letter by letter, and with it the letters of such a glyph.
Vowel signs drawn by themselves come before their letter, parted from the word by a space. Some programs write
Hebrew as it looks; then a word begins with the form a letter only has at its end.
"""

from __future__ import annotations

import ctypes
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Any

import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

DROPPED = "\ufdd0"
"""Takes the place of a character that is to be left out; no text holds this code."""

RIGHT_TO_LEFT = "\u0590-\u08ff\ufb1d-\ufdcf\ufdf0-\ufdff\ufe70-\ufefc"
"""The letters of such scripts, as ranges of a regular expression."""

_LETTER = re.compile(f"[{RIGHT_TO_LEFT}]")
_RUN = re.compile(f"[{RIGHT_TO_LEFT}](?:[{RIGHT_TO_LEFT} ]*[{RIGHT_TO_LEFT}])?")
_MARKED = re.compile("(?P<space> ?)(?P<mark>[\u064b-\u0652\u0670])(?P<letter>[\u0621-\u064a\u066e-\u06d3])")
_FINAL_FIRST = re.compile("(?<![\u05d0-\u05ea\"'׳״])[ךםןףץ](?=[\u05d0-\u05ea])")
_FINAL_LAST = re.compile("(?<=[\u05d0-\u05ea])[ךםןףץ](?![\u05d0-\u05ea])")
_HEBREW_LINE = re.compile("[^\r\n]*[\u05d0-\u05ea][^\r\n]*")
_LATIN = re.compile("[A-Za-z]")
_LEVEL = 1.0
"""How far, in points, the letters of one line may differ in height."""
_MIRRORED = str.maketrans("()[]{}<>«»", ")(][}{><»«")


def in_reading_order(text: str, textpage: Any) -> tuple[str, dict[int, int]]:
    """The text, of the same length, and for each place that changed the character of pdfium that stands there now.

    `text` has one code unit for each of pdfium's characters.
    """
    if not _LETTER.search(text):
        return text, {}
    chars, order = list(text), list(range(len(text)))
    places = _Places(textpage)
    for run in _RUN.finditer(text):
        for start, end in _glyphs(places, run.start(), run.end()):
            if _is_reversed(text[start:end]):
                chars[start:end] = chars[start:end][::-1]
                order[start:end] = order[start:end][::-1]
    for match in _MARKED.finditer("".join(chars)):
        _set_mark(chars, order, match, places)
    _turn_hebrew("".join(chars), chars, order, places)
    return "".join(chars), {place: number for place, number in enumerate(order) if place != number}


class _Places:
    """Where characters stand; one buffer serves all calls, for speed."""

    def __init__(self, textpage: Any) -> None:
        self._textpage = textpage
        # pypdfium2 looks its handle up at every call.
        self._handle = textpage.raw
        self._x, self._y = ctypes.c_double(), ctypes.c_double()
        self._into = ctypes.byref(self._x), ctypes.byref(self._y)
        self._origin = pdfium.FPDFText_GetCharOrigin
        self._box = pdfium.FS_RECTF()

    def origin(self, character: int) -> tuple[float, float]:
        self._origin(self._handle, character, *self._into)
        return self._x.value, self._y.value

    def span(self, character: int) -> tuple[float, float]:
        """The left and right edge of a character."""
        pdfium.FPDFText_GetLooseCharBox(self._textpage, character, self._box)
        return self._box.left, self._box.right


def _glyphs(places: _Places, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The stretches of two or more characters that are one glyph: they share their origin."""
    at = start
    origin = places.origin(start)
    for index in range(start + 1, end + 1):
        following = places.origin(index) if index < end else None
        if following != origin:
            if index - at > 1:
                yield at, index
            at, origin = index, following or origin


def _is_reversed(letters: str) -> bool:
    """Whether the letters of one glyph stand the wrong way round."""
    return sum(char != " " for char in letters) > 1 and letters not in _written_out()


@cache
def _written_out() -> frozenset[str]:
    """What pdfium writes out itself, and rightly, for the characters that stand for lam with alef or whole words."""
    forms = (unicodedata.normalize("NFKC", chr(code)) for code in (*range(0xFB50, 0xFE00), *range(0xFE70, 0xFEFD)))
    return frozenset(
        form for form in forms if len(form) > 2 or (len(form) == 2 and form[0] == "ل" and form[1] in "اأإآ")
    )


def _set_mark(chars: list[str], order: list[int], match: re.Match[str], places: _Places) -> None:
    """A vowel sign over the letter behind it belongs behind that letter."""
    mark, letter = match.start("mark"), match.start("letter")
    left, right = places.span(order[mark])
    edges = places.span(order[letter])
    if left == right or not edges[0] <= (left + right) / 2 <= edges[1] or (left, right) == edges:
        return
    chars[mark], chars[letter] = chars[letter], chars[mark]
    order[mark], order[letter] = order[letter], order[mark]
    space = match.start("space")
    if match["space"] and edges[0] <= places.origin(order[space])[0] < edges[1]:
        chars[space] = DROPPED


def _turn_hebrew(text: str, chars: list[str], order: list[int], places: _Places) -> None:
    """Lines whose words begin as they should end were drawn like English, letter after letter: so they are read."""
    for line in _HEBREW_LINE.finditer(text):
        if len(_FINAL_FIRST.findall(line.group())) <= len(_FINAL_LAST.findall(line.group())):
            continue
        start, end = line.span()
        origins = [places.origin(number) for number in order[start:end]]
        if max(y for _, y in origins) - min(y for _, y in origins) > _LEVEL:
            continue
        drawn = [start + at for at, _ in sorted(enumerate(origins), key=lambda item: item[1][0])]
        # pdfium has mirrored the brackets of a line that is right-to-left as a whole.
        mirrored = {} if _LATIN.search(line.group()) else _MIRRORED
        chars[start:end] = [chars[place].translate(mirrored) for place in drawn]
        order[start:end] = [order[place] for place in drawn]
