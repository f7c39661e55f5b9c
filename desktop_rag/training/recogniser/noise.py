"""What happens to text on its way into a file: case, line breaks, scans and lost accents. Spans keep their places."""

from __future__ import annotations

import unicodedata
from random import Random

from desktop_rag.training.recogniser.generate import Example

_SCANNED = {
    "l": "1",
    "I": "l",
    "O": "0",
    "o": "c",
    "e": "c",
    "m": "n",
    "h": "b",
    "S": "5",
    "B": "8",
    "n": "u",
    "t": "f",
}


def noisy(example: Example, rng: Random) -> Example:
    """The example, some of them written otherwise; every change keeps the length, so spans stay."""
    kind = rng.random()
    if kind < 0.10:
        example.text = _same_length(example.text, example.text.lower())
    elif kind < 0.125:
        example.text = _same_length(example.text, example.text.upper())
    elif kind < 0.14:
        # Only what carries a label, as in "call anna bauer": people type names as they type words.
        for start, end, _ in example.spans:
            value = example.text[start:end]
            example.text = example.text[:start] + _same_length(value, value.lower()) + example.text[end:]
    elif kind < 0.165:
        example.text = "".join(_without_accent(c) for c in example.text)
    elif kind < 0.205:
        example.text = "".join(_SCANNED.get(c, c) if rng.random() < 0.02 else c for c in example.text)
    if rng.random() < 0.15:
        example.text = _wrapped(example.text, rng.randrange(25, 90))
    return example


def joined(first: Example, second: Example, rng: Random) -> Example:
    """Two examples as one text."""
    between = rng.choice(("\n", "\n\n", " ", "\n\n"))
    shift = len(first.text) + len(between)
    spans = [(start + shift, end + shift, label) for start, end, label in second.spans]
    return Example(first.language, first.genre, first.text + between + second.text, [*first.spans, *spans])


def _same_length(old: str, new: str) -> str:
    return new if len(new) == len(old) else old


def _without_accent(character: str) -> str:
    plain = {"ł": "l", "Ł": "L", "ø": "o", "ß": "s"}.get(character)
    return plain or unicodedata.normalize("NFD", character)[0]


def _wrapped(text: str, width: int) -> str:
    """Spaces turned into line breaks, about `width` characters apart."""
    out, column = [], 0
    for character in text:
        breaks = character == "\n" or (character == " " and column >= width)
        column = 0 if breaks else column + 1
        out.append("\n" if breaks else character)
    return "".join(out)
