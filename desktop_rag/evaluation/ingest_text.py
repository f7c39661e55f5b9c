"""Made-up prose for measurements: reports with people, dates and numbers in them, no two alike. Pure.

The same seed gives the same text, so that two runs measure the same work.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from string import Formatter
from typing import Any

_FIRST = "Anna Bruno Clara David Elena Frank Grace Hugo Irene Jonas Karin Louis Maria Nadia Oscar Paula".split()
_LAST = "Abbott Bergmann Castell Dupont Ericson Fairley Grosvenor Hartmann Iversen Keller Lindqvist Moreau".split()
_THINGS = "pump,boiler,gearbox,valve,turbine,conveyor,compressor,cooling tower,feed line,control cabinet".split(",")
_DEEDS = "inspected,replaced,cleaned,measured,painted,tested,taken apart,put back into service".split(",")
_TOWNS = "Aberdeen Bristol Cardiff Dundee Exeter Glasgow Leeds Norwich".split()
_MONTHS = "January February March April May June July August September October November December".split()
_SENTENCES = (
    "The {thing} in hall {number} was {deed} on {day} {month} 2025.",
    "{person} led the work and signed the report in {town}.",
    "Questions about the {thing} go to {mail} or to {phone}.",
    "Its bearing had run for {number} hours, more than the maker allows, and was {deed} at once.",
    "The invoice over {number} pounds was paid to {person} within {day} days.",
    "No damage was found, although the {thing} had been louder than usual for several weeks.",
    "According to {person} the cause lies in the lubrication, which nobody had checked since {month}.",
    "The next inspection is due in {month}; until then the {thing} may run at two thirds of its load.",
    "Spare parts were ordered from {town} and are expected within {day} days.",
    "After that the temperature fell by {day} degrees and stayed there until the end of the shift.",
)


def name(chance: Random) -> str:
    """Somebody's name; there are many more names than first and last ones."""
    return f"{chance.choice(_FIRST)} {chance.choice(_LAST)}{chance.choice(('', 'son', 'ham', 'ley'))}"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text and where people, mail addresses and telephone numbers stand in it: {start, end, label}."""

    text: str
    spans: tuple[dict[str, Any], ...]


_LABELS = {"person": "PERSON", "mail": "EMAIL_ADDRESS", "phone": "PHONE_NUMBER"}


def sentence(chance: Random) -> str:
    """One sentence, with personal data in about half of them."""
    return "".join(text for text, _ in _pieces(chance))


def paragraph(chance: Random, sentences: int = 4) -> str:
    """Some sentences in a row."""
    return " ".join(sentence(chance) for _ in range(sentences))


def labelled_paragraph(chance: Random, sentences: int = 4) -> Labelled:
    """Some sentences in a row, and what is to be found in them."""
    text, spans = "", []
    for number in range(sentences):
        text += " " if number else ""
        for piece, label in _pieces(chance):
            if label:
                spans.append({"start": len(text), "end": len(text) + len(piece), "label": label})
            text += piece
    return Labelled(text, tuple(spans))


def _pieces(chance: Random) -> list[tuple[str, str | None]]:
    """One sentence in pieces, each with its label if it has one."""
    person = name(chance)
    pattern = chance.choice(_SENTENCES)
    values = {
        "thing": chance.choice(_THINGS),
        "deed": chance.choice(_DEEDS),
        "town": chance.choice(_TOWNS),
        "month": chance.choice(_MONTHS),
        "day": str(chance.randint(2, 28)),
        "number": str(chance.randint(100, 9999)),
        "phone": f"+44 20 7946 {chance.randint(0, 9999):04d}",
        "person": person,
        "mail": f"{person.lower().replace(' ', '.')}@example.com",
    }
    pieces: list[tuple[str, str | None]] = []
    for before, field, _, _ in Formatter().parse(pattern):
        pieces.append((before, None))
        if field:
            pieces.append((values[field], _LABELS.get(field)))
    return pieces


def heading(chance: Random) -> str:
    """A short line that a paragraph may stand under."""
    return f"Report {chance.randint(1, 9999)}: the {chance.choice(_THINGS)} of {chance.choice(_TOWNS)}"
