"""Passages that stand in a document more than once, above all mails quoted in their answers: indexed the first time.

Text is compared sentence by sentence without its white space and marks of quotation. A stretch of sentences is left out
where the same ones followed each other earlier in the document; a few words in common are no repetition, and neither
are rows of a table, headings or code, where the same line again is another fact. Pure, and linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from desktop_rag.documents.chunk_pieces import Piece, ending
from desktop_rag.documents.model import Page
from desktop_rag.documents.paragraphs import paragraphs
from desktop_rag.documents.sentences import sentences

FEWEST_WORDS = 12
"""Different words that a passage must have to be left out."""
FEWEST_WITHIN = 30
"""The same for one that lies within a paragraph, which loses its thread without it."""
_PROSE = ("paragraph", "list")
_QUOTED_LINE = re.compile(r"(?m)^[ \t]*(?:>[ \t]?)+")
_LINE = re.compile(r"[^\n]*\n?")
# Scripts without spaces count by the character.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")


@dataclass(frozen=True, slots=True)
class _Unit:
    """A sentence of the piece at `index`, without marks of quotation; None stands for what ends every passage."""

    index: int
    start: int
    end: int
    key: int | None
    text: str = ""
    begins: bool = False
    ends: bool = False
    """Whether it is the first or the last sentence of its paragraph."""


def unquoted(text: str) -> str:
    """A text as it is compared: without marks of quotation, its white space single, in lower case."""
    return " ".join(_QUOTED_LINE.sub("", text).split()).casefold()


class Repeats:
    """What stood in a document so far."""

    def __init__(self) -> None:
        self._keys: list[int | None] = []
        self._latest: dict[int, int] = {}

    def without(self, pages: Sequence[Page], part: Sequence[Piece]) -> list[Piece]:
        """The pieces of the next part of the document, what stood there earlier cut out."""
        units = list(_units(pages, part))
        left_out = self._repeated(units)
        if not any(left_out):
            return list(part)
        return list(_rest(pages, part, units, left_out))

    def _repeated(self, units: Sequence[_Unit]) -> list[bool]:
        """Whether each unit belongs to a passage that is repeated."""
        base = len(self._keys)
        left_out = [False] * len(units)
        began, follows = 0, -1
        for at, unit in enumerate(units):
            if follows >= 0 and (unit.key is None or self._keys[follows] != unit.key):
                self._close(units, left_out, began, at, follows - (at - began))
                follows = -1
            if unit.key is not None:
                if follows < 0 and unit.key in self._latest:
                    began, follows = at, self._latest[unit.key]
                self._latest[unit.key] = base + at
            self._keys.append(unit.key)
            if follows >= 0:
                follows += 1
        if follows >= 0:
            self._close(units, left_out, began, len(units), follows - (len(units) - began))
        return left_out

    def _close(self, units: Sequence[_Unit], left_out: list[bool], began: int, end: int, source: int) -> None:
        """Mark units[began:end], which is the passage that stood at `source`, if it is long enough."""
        while (
            began
            and source
            and not left_out[began - 1]
            and units[began - 1].key is not None
            and units[began - 1].key == self._keys[source - 1]
        ):
            began, source = began - 1, source - 1
        if _is_long(units[began:end]):
            left_out[began:end] = [True] * (end - began)


def _is_long(passage: Sequence[_Unit]) -> bool:
    words: set[str] = set()
    begun = whole = False
    for unit in passage:
        words.update(_WORD.findall(unit.text))
        begun = begun or unit.begins
        whole = whole or (begun and unit.ends)
    return len(words) >= (FEWEST_WORDS if whole else FEWEST_WITHIN)


def _units(pages: Sequence[Page], part: Sequence[Piece]) -> Iterator[_Unit]:
    page = -1
    for index, piece in enumerate(part):
        if piece.page != page or piece.kind not in _PROSE:
            yield _Unit(index, piece.start, piece.end, None)
            page = piece.page
        if piece.kind not in _PROSE:
            continue
        text = pages[piece.page].text[piece.start : piece.end]
        for paragraph in _paragraphs(text):
            for place, (start, end, words) in enumerate(paragraph, 1):
                plain = unquoted(words)
                begins, ends = place == 1, place == len(paragraph)
                yield _Unit(index, piece.start + start, piece.start + end, hash(plain), plain, begins, ends)


def _paragraphs(text: str) -> Iterator[list[tuple[int, int, str]]]:
    """(start, end, words) of the sentences in each paragraph; lines quoted to another depth are another one."""
    plain = _QUOTED_LINE.sub(lambda mark: " " * len(mark.group()), text)
    for begin, stop in _depths(text) if plain != text else [(0, len(text))]:
        for first, last in paragraphs(plain, begin, stop):
            found = sentences(plain[first:last])
            yield [(first + start, first + end, plain[first + start : first + end]) for start, end in found]


def _depths(text: str) -> Iterator[tuple[int, int]]:
    """Stretches of lines that are quoted equally often."""
    begin, depth = 0, -1
    for line in _LINE.finditer(text):
        mark = _QUOTED_LINE.match(line.group())
        own = mark.group().count(">") if mark else 0
        if own != depth and depth >= 0 and line.group().strip():
            yield begin, line.start()
            begin = line.start()
        depth = own if line.group().strip() else depth
    yield begin, len(text)


def _rest(
    pages: Sequence[Page], part: Sequence[Piece], units: Sequence[_Unit], left_out: Sequence[bool]
) -> Iterator[Piece]:
    """What is left of the pieces; the first one after a gap says how the left out passage ended."""
    own: dict[int, list[tuple[_Unit, bool]]] = {}
    for unit, out in zip(units, left_out, strict=True):
        if unit.key is not None:
            own.setdefault(unit.index, []).append((unit, out))
    gone = ""
    page = -1
    for index, piece in enumerate(part):
        gone = gone if piece.page == page else ""
        page, text = piece.page, pages[piece.page].text
        for start, end, out in _stretches(piece, own.get(index, [])):
            if out:
                gone = f"{gone}\n{text[start:end]}"
                continue
            kept = piece if (start, end) == (piece.start, piece.end) else replace(piece, start=start, end=end)
            if gone:
                kept = replace(kept, gap=True, lead=kept.lead or ending(_QUOTED_LINE.sub("", gone)))
            gone = ""
            yield kept


def _stretches(piece: Piece, units: Sequence[tuple[_Unit, bool]]) -> Iterator[tuple[int, int, bool]]:
    """(start, end, whether it is left out) of the stretches of a piece, in order."""
    if not any(out for _, out in units):
        yield piece.start, piece.end, False
        return
    begin = piece.start
    for at, (unit, out) in enumerate(units):
        following = units[at + 1] if at + 1 < len(units) else None
        if following and following[1] == out:
            continue
        yield begin, unit.end if following else piece.end, out
        begin = following[0].start if following else piece.end
