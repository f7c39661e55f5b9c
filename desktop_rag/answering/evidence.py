"""Is what a question asks about in the documents at all? Decided before a model is asked.

Near misses are the danger: "When was the Apex pump installed?" finds the passage on the Zenith pump,
and a model answers from it. So the names and codes of a question are looked up in the index first;
when more of them are nowhere than somewhere, the nearest passages speak of something else.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_WORD = re.compile(r"\[[A-Z][A-Z_]*(?:_\d+)?\]|[^\W_]+(?:[-./'’][^\W_]+)*")
_SENTENCE_START = re.compile(r"(?:^|[.!?:;]\s+|[\"“(]\s*)$")
_CALENDAR = frozenset(
    "january february march april may june july august september october november december jan feb mar apr jun jul aug sep"
    " sept oct nov dec monday tuesday wednesday thursday friday saturday sunday i".split()
)


def specific_words(question: str) -> tuple[list[str], list[str]]:
    """(names and codes, figures and pseudonyms) of a question.

    Names are words written with a capital inside a sentence, codes mix letters and digits: they are
    copied, not rephrased. Dates and figures are written in many ways, so their absence proves nothing,
    but their presence counts. A question typed in capitals says nothing by its capitals.
    """
    matches = list(_WORD.finditer(question))
    capitals = [m for m in matches if m.group()[:1].isupper()]
    shouting = len(matches) > 3 and len(capitals) > 0.7 * len(matches)
    copied: list[str] = []
    varied: list[str] = []
    for match in matches:
        word = match.group()
        digits, letters = any(c.isdigit() for c in word), any(c.isalpha() for c in word)
        if word.startswith("["):
            varied.append(word)
        elif digits:
            (copied if letters and not _dated(word) else varied).append(word)
        elif word.casefold() in _CALENDAR or shouting or not word[0].isupper():
            continue
        elif not _SENTENCE_START.search(question[: match.start()]):
            copied.append(word)
    return copied, varied


def _dated(word: str) -> bool:
    return any(part.casefold() in _CALENDAR for part in re.split(r"\W", word))


def is_missing(question: str, nowhere: Callable[[str], bool]) -> tuple[bool, list[str]]:
    """Whether to say "not in your documents", and the words that are in none of them."""
    copied, varied = specific_words(question)
    absent = [word for word in copied if nowhere(word)]
    present = len(copied) - len(absent) + sum(not nowhere(word) for word in varied)
    return len(absent) > present, absent
