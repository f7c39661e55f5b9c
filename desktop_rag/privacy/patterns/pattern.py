"""What one pattern is: a shape, what proves it, the words that make it certain, and where it may begin."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cache

from desktop_rag.privacy.fold import fold_word

# What stands between the groups of a number: one space of any kind, or the end of a line.
GAP = r"[ \u00a0\u2009\u202f\n]"
# What may stand between the name of a thing and its value: "PESEL: 4", "PESEL (4)", "PESEL - 4", "PESEL\n4".
COLON = r"[ \u00a0\t]{0,4}(?:[:=#(|–-][ \u00a0\t]{0,4}){0,2}\n?[ \u00a0\t]{0,4}"
CAPITAL = r"[A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢİĪĮĶŁĻŃŅŇŌŐŒŔŘŚŞŠŤŪŮŰŲŸŹŻŽȘȚ]"
# "number", abbreviated or not, in the seven languages.
NUMBER_WORD = (
    r"(?:(?i:numbers?|numero|número|numéro|nummer|numery?|numeru|num\.?|núm\.?|nums?\.|nos?\.?|nrs?\.?"
    r"|n\.[ \u00a0]?[ºo°]?|n[º°]s?\.?|№)(?!\w))"
)
# Letters and figures, at least one of them a figure, in groups joined by signs.
CODE = r"(?=[A-Za-z./_-]{0,8}\d)[A-Za-z0-9]{1,24}(?:[./_–-][A-Za-z0-9]{1,24}){0,6}"
_IS = r"(?:\s(?i:is|was|of|ist|lautet|est|es|è|jest|to|codes?|id)(?!\w))?"
_LONG = 5


class At(Enum):
    """Where a pattern may begin. Trying it there only, and nowhere else, is what makes the search fast."""

    NUMBER = "at a digit that begins a word"
    PHONE = "there too, or at the + or ( before it"
    CODE = "at a word that holds a digit, or at the short word before it"
    COLON = "at a chain of hexadecimal digits and colons"
    SIGN = "at a word that holds an @"
    DOT = "at a word that holds a dot before a letter"
    MONEY = "at a currency sign"
    STREET = "at a German or Dutch word for a street, before its number"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A shape with its class of `assets/pii_classes.json`."""

    label: str
    regex: re.Pattern[str]
    """Matched at the places of `anchor`; group "value" is what is personal, else the whole match."""
    score: float
    """Without context, 0..1; what stays under 0.4 is not reported."""
    anchor: At | frozenset[str]
    """A kind of place, or the lower-case words the pattern begins with."""
    valid: Callable[[str], bool] | None = None
    """Checksum or plausibility of the value."""
    context: frozenset[str] = frozenset()
    """Folded words which, shortly before or just after the value, make it certain."""
    with_context: float = 0.95
    mistyped: float = 0.0
    """In context, but not valid."""


def words(text: str) -> frozenset[str]:
    """The words of a list, folded, as a context."""
    return frozenset(fold_word(word) for word in text.split())


def cues(text: str) -> frozenset[str]:
    """The words of a list as an anchor: in lower case, with and without their accents."""
    lower = text.lower().split()
    return frozenset([*lower, *map(fold_word, lower)])


def either(alternatives: Iterable[str]) -> str:
    """A regex for one of these words or phrases, in any case, accents optional; the longest that fits is taken."""
    forms = {form for a in alternatives for form in (a.lower(), fold_word(a))}
    ordered = sorted(forms, key=lambda form: (-len(form), form))
    return "(?i:" + "|".join(re.escape(form).replace(r"\ ", r"\s{1,2}") for form in ordered) + ")"


def checked(
    label: str, regex: str, valid: Callable[[str], bool], score: float, context: str, anchor: At = At.NUMBER
) -> Pattern:
    """A number with a checksum: found by it, or, mistyped, by the words beside it."""
    return Pattern(label, re.compile(regex), score, anchor, valid, words(context), 0.99, 0.8)


def named(label: str, names: Iterable[str], value: str = CODE, score: float = 0.85) -> Pattern:
    """A value known by the name that stands before it: "policy no.: AB 123"; `names` in lower case."""
    listed = tuple(names)
    regex = rf"{either(listed)}(?!\w)\.?(?:['’]s)?\s?{NUMBER_WORD}?{_IS}{COLON}(?P<value>{value})(?!\w)"
    return Pattern(label, re.compile(regex), score, cues(" ".join(first_word(name) for name in listed)))


def glued(stems: str) -> list[str]:
    """German and Dutch names of numbers, written as one word: Kundennummer, Kundennr."""
    return [stem + ending for stem in stems.split() for ending in ("nummer", "nr", "nummern", "-nummer", "-nr")]


def first_word(name: str) -> str:
    """The letters a name begins with."""
    match = re.match(r"[^\W_]+", name)
    assert match is not None
    return match.group()


def is_context(word: str, context: frozenset[str]) -> bool:
    """Whether a folded word is one of the context, or begins with a long one: Führerscheinnummer."""
    return word in context or word.startswith(_long(context))


@cache
def _long(context: frozenset[str]) -> tuple[str, ...]:
    return tuple(word for word in context if len(word) >= _LONG)
