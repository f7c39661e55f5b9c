"""Is what a question asks about in the documents at all? Decided before a model is asked.

A question's specific words (names, codes, numbers, unknown people) must stand somewhere in the
collection; when one is nowhere, the nearest passages speak of something else, however similar.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"\[[A-Z][A-Z_]*(?:_\d+)?\]|[^\W_]+(?:[-./'’][^\W_]+)*")
_SENTENCE_START = re.compile(r"(?:^|[.!?:;]\s+|[\"“(]\s*)$")


def specific_words(question: str) -> list[str]:
    """Words that name one thing: codes and numbers, and words written with a capital inside a sentence.

    A question typed all in capitals or in title case says nothing by its capitals.
    """
    matches = list(_WORD.finditer(question))
    capitals = [m for m in matches if m.group()[:1].isupper()]
    shouting = len(matches) > 3 and len(capitals) > 0.7 * len(matches)
    found = []
    for match in matches:
        word = match.group()
        if word.startswith("["):
            continue
        inside = not _SENTENCE_START.search(question[: match.start()])
        if any(c.isdigit() for c in word) or (inside and not shouting and word[0].isupper()):
            found.append(word)
    return found


def is_missing(absent: Sequence[str], specific: Sequence[str]) -> bool:
    """Whether the absent words are reason enough to say "not in your documents".

    A question that names several things may use one word the documents do not ("according to the
    2019 Report"); when at least half of what it names is nowhere, it asks about something else.
    """
    return bool(specific) and 2 * len(absent) >= len(specific)
