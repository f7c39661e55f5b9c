"""What stands for private values in a text: where it is and how it reads (`[PERSON_3]` is shown as "Person 3"). Pure.

A believable stand-in ("Dana Moreno") reads as it is; which words of a text are one only the vault knows.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from desktop_rag.gui.words import label_name
from desktop_rag.privacy.scrub import finder

PSEUDONYM = re.compile(r"\[([A-Z][A-Z0-9_]*?)_(\d+)\]")


@dataclass(frozen=True, slots=True)
class Piece:
    """`text[start:end]` of the stored text; `token` is what stands for a value there, or None for ordinary text."""

    start: int
    end: int
    text: str
    token: str | None = None

    @property
    def shown(self) -> str:
        """The words on the screen."""
        return spoken(self.token) if self.token else self.text


def spoken(token: str) -> str:
    """`[EMAIL_ADDRESS_1]` -> "E-mail 1"."""
    match = PSEUDONYM.fullmatch(token)
    return f"{label_name(match[1])} {match[2]}" if match else token


def spots(stand_ins: Collection[str] = ()) -> re.Pattern[str]:
    """What finds pseudonyms and these believable stand-ins in a text, the longest first."""
    return _spots(frozenset(stand_ins))


@lru_cache(maxsize=32)
def _spots(stand_ins: frozenset[str]) -> re.Pattern[str]:
    found = finder(stand_ins)
    return re.compile(f"{PSEUDONYM.pattern}|{found.pattern}") if found else PSEUDONYM


def split(text: str, stand_ins: Collection[str] = ()) -> Iterator[Piece]:
    """The text as ordinary pieces, pseudonyms and stand-ins, in order and without gaps."""
    position = 0
    for match in spots(stand_ins).finditer(text):
        if match.start() > position:
            yield Piece(position, match.start(), text[position : match.start()])
        yield Piece(match.start(), match.end(), match[0], match[0])
        position = match.end()
    if position < len(text):
        yield Piece(position, len(text), text[position:])


def is_pseudonym(token: str) -> bool:
    """Whether it is a pseudonym, and not a believable stand-in."""
    return PSEUDONYM.fullmatch(token) is not None


def readable(text: str, values: Mapping[str, str] | None = None) -> str:
    """The text as it reads on the screen; with `values`, the real values instead of what stands for them."""
    known = values or {}
    return "".join(
        known.get(piece.token, piece.shown) if piece.token else piece.text for piece in split(text, known.keys())
    )


def settled(text: str) -> int:
    """How much of a streaming text may be shown: everything before a `[` that is still open."""
    opened = text.rfind("[")
    if opened < 0 or "]" in text[opened:] or not re.fullmatch(r"\[[A-Z0-9_]{0,40}", text[opened:]):
        return len(text)
    return opened
