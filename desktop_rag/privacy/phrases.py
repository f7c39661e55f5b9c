"""Stretches of a text by which it is known again: to look for what is left of it, or for who repeats it.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

WORDS = 8
"""So many words in a row are no chance: who writes them is quoting."""

_FEWEST_LETTERS = 20
_WORD = re.compile(r"\S+")


def phrases(texts: Sequence[str], most: int = 8) -> list[str]:
    """Up to `most` stretches of up to eight words, each within one line, spread evenly over the texts.

    Lines of a few words ("Total 40") stand everywhere: they are taken only where there is nothing longer.
    """
    stretches = [found for text in texts for line in text.splitlines() for found in _stretches(line)]
    telling = [found for found in stretches if _letters(found) >= _FEWEST_LETTERS] or stretches
    parts = min(most, len(telling))
    groups = (telling[len(telling) * at // parts : len(telling) * (at + 1) // parts] for at in range(parts))
    return list(dict.fromkeys(max(group, key=_letters) for group in groups))


def runs(text: str) -> Iterator[int]:
    """Every eight words in a row, whatever stands between them, as numbers to compare within this process."""
    words = re.findall(r"\w+", text.casefold())
    return (hash(tuple(words[at : at + WORDS])) for at in range(len(words) - WORDS + 1))


def _stretches(line: str) -> Iterator[str]:
    words = list(_WORD.finditer(line))
    for at in range(0, len(words), WORDS):
        part = words[at : at + WORDS]
        yield line[part[0].start() : part[-1].end()]


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))
