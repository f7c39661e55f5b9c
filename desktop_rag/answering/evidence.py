"""Is what a question asks about in the documents at all? Decided before a model is asked.

Near misses are the danger: "When was the Apex pump installed?" finds the passage on the Zenith pump,
and a model answers from it. So the names and codes of a question are looked up in the index first;
when more of them are nowhere than somewhere, the nearest passages speak of something else.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

_WORD = re.compile(r"\[[A-Z][A-Z_]*(?:_\d+)?\]|[^\W_]+(?:[-./'’][^\W_]+)*")
# "3rd", "10kg", "1.5GB": figures with their unit, which documents write in other ways.
_MEASURE = re.compile(r"\d[\d.]*(?:[a-zµ]{1,3}|[kKMGT]i?[BbWV]|[VAWCFK])")
_SENTENCE_START = re.compile(r"(?:^|[.!?:;]\s+|[\"“(]\s*)$")
_CALENDAR = frozenset(
    "january february march april may june july august september october november december jan feb mar apr jun jul aug"
    " sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday i".split()
)
_TITLES = frozenset("mr mrs ms miss dr prof professor sir madam herr frau mme madame monsieur".split())
# German writes every noun with a capital; two of these words tell it (one alone, such as "die", may be English).
_GERMAN = frozenset(
    "der die das den dem des ist sind war wie wer wann wo wieviel ein eine einen und im für von mit nicht"
    " wird wurde".split()
)
ASKING = frozenset(
    "what which who whom whose when where why how much many often long do does did is was were are be been being "
    "can could should will would shall may might must has have had there any some all about from it its he she "
    "they them you your my me we our this that these those and or of in on at to by for with a an the not no than "
    "tell say said please".split()
)
"""English words that ask, and those that carry them: a text is not about them."""
_MOST_FIGURES = 30
_UNFAMILIAR_SHARE = 0.5


@dataclass(slots=True)
class Specifics:
    """What a question names: `names` (each a run of words) and `codes` are copied from a document, `varied` are not."""

    names: list[list[str]] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    varied: list[str] = field(default_factory=list)


def specifics(question: str) -> Specifics:
    """The names, codes, figures and pseudonyms of a question.

    Names are words written with a capital inside a sentence, codes mix letters and digits or are long bare
    numbers. Dates and other figures are written in many ways, so their absence proves nothing, but their
    presence counts. A question typed in capitals says nothing by its capitals.
    """
    matches = list(_WORD.finditer(question))
    shouting = _shouts([m.group() for m in matches])
    german = sum(m.group() in _GERMAN for m in matches) > 1
    found = Specifics()
    end = -2
    for match in matches:
        word = match.group()
        if word.startswith("["):
            found.varied.append(word)
        elif any(c.isdigit() for c in word):
            (found.codes if _is_code(word) else found.varied).append(word)
        elif not shouting and not german and _is_name(question, match):
            if found.names and question[end : match.start()].isspace():
                found.names[-1].append(word)
            else:
                found.names.append([word])
            end = match.end()
    return found


def is_missing(question: str, nowhere: Callable[[str], bool]) -> tuple[bool, list[str]]:
    """Whether to say "not in your documents", and the names and codes that are in none of them.

    A name of several words is missing when its first word is, or most of them: "Rotary Club" is, where
    only other clubs are spoken of; "Zenith GmbH" is not, where it is called Zenith.
    """
    found = specifics(question)
    absent = [" ".join(name) for name in found.names if _name_absent([nowhere(word) for word in name])]
    absent += [code for code in found.codes if nowhere(code) and nowhere(_grouped(code))]
    present = len(found.names) + len(found.codes) - len(absent)
    present += sum(not nowhere(word) for word in found.varied)
    return len(absent) > present, absent


def unfamiliar(question: str, nowhere: Callable[[str], bool]) -> bool:
    """Whether at least half of what a question says, question words aside, is nowhere in the documents.

    Not enough to refuse by itself, since people use words of their own, but a reason to look closer.
    """
    said = [m.group() for m in _WORD.finditer(question) if m.group().casefold() not in ASKING]
    return bool(said) and sum(nowhere(word) for word in said) >= _UNFAMILIAR_SHARE * len(said)


def _shouts(words: list[str]) -> bool:
    loud = sum(len(word) > 1 and word.isupper() for word in words)
    titled = sum(word[:1].isupper() for word in words)
    return len(words) > 2 and (loud > 0.7 * len(words) or (len(words) > 4 and titled > 0.8 * len(words)))


def _grouped(code: str) -> str:
    """A number as it is written with commas; other codes, and what is too long for a number, as they are."""
    return f"{int(code):,}" if code.isdecimal() and len(code) <= _MOST_FIGURES else code


def _is_code(word: str) -> bool:
    if word.isdigit():
        # "²⁰²¹" is of digits too, but no number.
        year = len(word) == 4 and word.isdecimal() and 1900 <= int(word) < 2100
        return len(word) > 3 and not year
    if _MEASURE.fullmatch(word):
        return False
    dated = any(part.casefold() in _CALENDAR for part in re.split(r"\W", word))
    return any(c.isalpha() for c in word) and not dated


def _is_name(question: str, match: re.Match[str]) -> bool:
    word = match.group()
    if not word[0].isupper() or word.casefold() in _CALENDAR | _TITLES:
        return False
    return not _SENTENCE_START.search(question[: match.start()])


def _name_absent(words: list[bool]) -> bool:
    return words[0] or 2 * sum(words) > len(words)
