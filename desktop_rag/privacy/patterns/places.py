"""Where in a text patterns may begin: one pass over its words, and one for each rare sign."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field

from desktop_rag.privacy.patterns.pattern import At

_WORD = re.compile(r"[^\W_]+")
_LETTER_DOT = re.compile(r"\.(?=[^\W\d_])")
_HEX_COLON = re.compile(r":(?=[0-9A-Fa-f:])")
_MONEY = re.compile(r"[$€£¥]")
_MAILBOX = frozenset(".+%-_'")
_HEX = frozenset("0123456789abcdefABCDEF:")
_DOMAIN = frozenset(".-_")
# A short figure in a table's cell begins nothing; tables are made of these.
_LONE = re.compile(
    r"(?<![+(./:-])\d{1,4}(?:[.,]\d{1,3})?(?=[ \u00a0]*(?:[|;\t)\]]|\n\s*[-\d|]|\Z|[ ]{2,}[-\d]|, -?\d))"
)
# A place lies at most so far before the sign that gives it away, whatever the text.
_REACH = 64
_SHORT = 4
_JOINS = " \u00a0\n-"
_STREETS = tuple("straße strasse str weg platz allee gasse straat laan plein gracht damm".split())


@dataclass(frozen=True, slots=True)
class Places:
    """The places of a text, each kind in order and without repetition."""

    kinds: dict[At, list[int]] = field(default_factory=lambda: {kind: [] for kind in At})
    cues: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Where each known word stands."""


def places(text: str, known: Container[str]) -> Places:
    """Where patterns may begin; `known`: the lower-case words that some begin with."""
    found = Places()
    _words(text, known, found)
    kinds = found.kinds
    if "@" in text:
        kinds[At.SIGN] = list(_before(text, re.compile("@"), lambda c: c.isalnum() or c in _MAILBOX))
    if "." in text:
        kinds[At.DOT] = list(_before(text, _LETTER_DOT, lambda c: c.isalnum() or c in _DOMAIN))
    if ":" in text:
        kinds[At.COLON] = list(_before(text, _HEX_COLON, lambda c: c in _HEX))
    kinds[At.MONEY] = list(_before(text, _MONEY, str.isupper))
    return found


def _words(text: str, known: Container[str], found: Places) -> None:
    kinds = found.kinds
    heads: list[int] = []
    second, last, last_end = -1, "", -1
    for match in _WORD.finditer(lowered(text)):
        word, start = match.group(), match.start()
        if word in known:
            found.cues[word].append(start)
        joined = start == last_end + 1 and text[last_end] in _JOINS
        if not joined:
            heads = []
        if word.isalpha():
            heads = [*heads[-1:], start] if len(word) <= _SHORT else []
        else:
            if last.endswith(_STREETS):
                kinds[At.STREET].append(second if last in _STREETS else last_end - len(last))
            if heads or _LONE.match(text, start) is None:
                _number(text, start, word, heads, kinds)
            heads = []
        second, last, last_end = last_end - len(last), word, match.end()


def _number(text: str, start: int, word: str, heads: list[int], kinds: dict[At, list[int]]) -> None:
    # "WA 12345", "B-AB 1234", "SW1A 1AA": a code begins with the short words before its figures.
    kinds[At.CODE] += [*heads, start]
    if word[0].isdecimal():
        kinds[At.NUMBER].append(start)
        kinds[At.PHONE].append(start - 1 if start and text[start - 1] in "+(" else start)


def lowered(text: str) -> str:
    """The text in lower case, every character at its old place."""
    # Of all letters this one alone becomes two.
    return text.replace("İ", "I").lower()


def _before(text: str, sign: re.Pattern[str], belongs: Callable[[str], bool]) -> Iterator[int]:
    """Where the words begin that hold a sign."""
    last = -1
    for match in sign.finditer(text):
        start, floor = match.start(), max(match.start() - _REACH, 0)
        while start > floor and belongs(text[start - 1]):
            start -= 1
        if start != last:
            last = start
            yield start
