"""Pseudonyms in a text: where they are and how they read (`[PERSON_3]` is shown as "Person 3"). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from desktop_rag.gui.words import label_name

PSEUDONYM = re.compile(r"\[([A-Z][A-Z0-9_]*?)_(\d+)\]")


@dataclass(frozen=True, slots=True)
class Piece:
    """`text[start:end]` of the stored text; `token` is the pseudonym, or None for ordinary text."""

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


def split(text: str) -> Iterator[Piece]:
    """The text as ordinary pieces and pseudonyms, in order and without gaps."""
    position = 0
    for match in PSEUDONYM.finditer(text):
        if match.start() > position:
            yield Piece(position, match.start(), text[position : match.start()])
        yield Piece(match.start(), match.end(), match[0], match[0])
        position = match.end()
    if position < len(text):
        yield Piece(position, len(text), text[position:])


def tokens(text: str) -> list[str]:
    """Every pseudonym once, in order of appearance."""
    return list(dict.fromkeys(match[0] for match in PSEUDONYM.finditer(text)))


def readable(text: str, values: dict[str, str] | None = None) -> str:
    """The text as it reads on the screen; with `values`, the real values instead of pseudonyms."""
    known = values or {}
    return "".join(known.get(piece.token, piece.shown) if piece.token else piece.text for piece in split(text))


def settled(text: str) -> int:
    """How much of a streaming text may be shown: everything before a `[` that is still open."""
    opened = text.rfind("[")
    if opened < 0 or "]" in text[opened:] or not re.fullmatch(r"\[[A-Z0-9_]{0,40}", text[opened:]):
        return len(text)
    return opened
