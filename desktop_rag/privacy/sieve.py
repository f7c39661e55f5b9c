"""Which of many texts could hold one of many values: a quick first look before the vault looks word by word. Pure.

It may say yes where nothing is, and never no where `Vault.find` or `Rules.always` would find something: all values are
looked for at once, by an Aho-Corasick automaton, in a text of which only folded letters and digits are left.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from desktop_rag.privacy.fold import fold, words
from desktop_rag.privacy.vault import street

if TYPE_CHECKING:
    from ahocorasick_rs import AhoCorasick

_GAP = re.compile(r"[\W_]+")
# What may begin with a capital, or has a digit.
_NAMES = re.compile(r"(?<= )(?:[^ a-z]\S*|\S*\d\S*)")
_ACCENT = re.compile("[\u0300-\u036f]+")
# From so many digits on, a number is the same however it is grouped (see `vault` and `rules`).
_MANY_DIGITS = 7
# An automaton of so many patterns is made within a few hundredths of a second.
_PATTERNS_AT_ONCE = 5_000


class Sieve:
    """Made ready by `take`."""

    def __init__(self) -> None:
        self._words = _Automata()
        self._names = _Automata()
        self._joined = _Automata()

    def take(self, values: Sequence[tuple[str, str]], terms: Iterable[str] = ()) -> Iterator[None]:
        """Take in (class, value) as a vault has them, and terms as rules have them; yields between steps."""
        # A number may be grouped in another way, and a script without spaces has terms inside its words.
        numbers = (value for _, value in values if sum(c.isdigit() for c in value) >= _MANY_DIGITS)
        yield from self._joined.take(_joined(_pattern(value)) for value in (*terms, *numbers))
        yield from self._names.take(part for label, value in values if label == "PERSON" for part in _parts(value))
        yield from self._words.take(pattern for label, value in values for pattern in _patterns(label, value))

    def __bool__(self) -> bool:
        return bool(self._words or self._names or self._joined)

    def may_hold(self, text: str) -> bool:
        """Whether one of the values could stand in this text."""
        if not self:
            return False
        written = _spaced(text)
        spaced = written.casefold()
        named = self._names.find(spaced) and self._names.find(_capitals(written))
        return named or self._words.find(spaced) or self._joined.find(_joined(spaced))


class _Automata:
    def __init__(self) -> None:
        self._made: list[AhoCorasick] = []

    def __bool__(self) -> bool:
        return bool(self._made)

    def take(self, patterns: Iterable[str]) -> Iterator[None]:
        from ahocorasick_rs import AhoCorasick

        rest = (pattern for pattern in patterns if pattern.strip())
        while part := set(islice(rest, _PATTERNS_AT_ONCE)):
            self._made.append(AhoCorasick(sorted(part), store_patterns=False))
            yield

    def find(self, text: str) -> bool:
        return any(automaton.find_matches_as_indexes(text) for automaton in self._made)


def _patterns(label: str, value: str) -> list[str]:
    """One of these stands in the spaced form of every text in which the vault finds this value as a whole."""
    if label == "PERSON":
        parts = fold(label, value).split()
        # One word is a name only if it is written as one: see `_parts`.
        return [_pattern(" ".join(parts))] if len(parts) > 1 or any(c.isdigit() for c in value) else []
    named = street(value) if label == "STREET_ADDRESS" else []
    return [_pattern(" ".join(word for word, _, _ in found)) for found in (words(value), named)]


def _parts(value: str) -> list[str]:
    """What a person is also known by, wherever it is written with a capital."""
    parts = fold("PERSON", value).split()
    return [_pattern(part) for part in parts if len(part) > 2 or len(parts) == 1]


def _pattern(value: str) -> str:
    return _spaced(value).casefold()


def _spaced(text: str) -> str:
    """The words of a text without their accents, with one space before, between and after them."""
    if not text.isascii():
        bare = _ACCENT.sub("", unicodedata.normalize("NFKD", text))
        # Other marks than accents part words, or are a piece of a letter: only `words` knows, and says no case.
        marked = any(map(unicodedata.combining, bare))
        text = " ".join(word.title() for word, _, _ in words(text)) if marked else bare
    return f" {_GAP.sub(' ', text).strip()} "


def _capitals(spaced: str) -> str:
    """Those of the words that begin with a capital, or have a number in them, as they compare."""
    return f" {' '.join(_NAMES.findall(spaced)).casefold()} "


def _joined(spaced: str) -> str:
    return spaced.replace(" ", "")
