"""The self-test's documents: letters, contracts, notes of a clinic, mails, tables, forms, minutes; seven languages.

Their templates and lists of names lie in `assets/selftest.json`; a place in them is `{category}`, or `{category#who}`
where the same person is meant again. With one seed the documents are always the same. Pure.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from desktop_rag.evaluation import selftest_shapes as shapes
from desktop_rag.evaluation import selftest_values as values
from desktop_rag.paths import assets_dir

SEED = 41_017
VARIANTS = 2
_SLOT = re.compile(r"\{(\w+)(?:#(\w))?\}")
_ENDINGS = {"table": "csv", "mail": "eml", "contract": "md"}
_DRAWN: dict[str, Callable[[random.Random, str], str]] = {
    "iban": values.iban,
    "card": values.card,
    "national_id": values.national_id,
    "tax_number": values.tax_number,
    "password": shapes.password,
    "api_key": shapes.api_key,
    "ip": shapes.ip,
    "birth_date": shapes.birth_date,
    "date": shapes.date,
    "postcode": shapes.postcode,
    **{kind: shapes.shaped(kind) for kind in ("passport", "licence", "plate", "phone", "record_number")},
}
_CATEGORY = {
    **dict.fromkeys(("given", "titled", "reversed"), "person"),
    **dict.fromkeys(("password", "api_key"), "secret"),
    "postcode": "city",
}


@dataclass(frozen=True, slots=True)
class Planted:
    """`text[start:end]` of a document is a planted value of `category`, which counts as `label`."""

    start: int
    end: int
    category: str
    label: str


@dataclass(frozen=True, slots=True)
class Document:
    """One document with what was planted in it."""

    id: str
    language: str
    genre: str
    text: str
    spans: tuple[Planted, ...]

    @property
    def file_name(self) -> str:
        """What its file is called."""
        return f"{self.id}.{_ENDINGS.get(self.genre, 'txt')}"


@cache
def assets() -> dict[str, Any]:
    """`selftest.json`: categories and languages with their templates and lists."""
    return dict(json.loads((assets_dir() / "selftest.json").read_text(encoding="utf-8")))


def category_name(category: str) -> str:
    """What a category is called."""
    return str(assets()["categories"][category]["name"])


def documents(seed: int = SEED) -> list[Document]:
    """Every template filled `VARIANTS` times."""
    draw = random.Random(seed)
    return [
        _Writer(draw, language, told).write(genre, "\n".join(lines), variant)
        for language, told in assets()["languages"].items()
        for genre, lines in told["documents"].items()
        for variant in range(1, VARIANTS + 1)
    ]


class _Writer:
    """Fills one template; who "a" is stays the same within it."""

    def __init__(self, draw: random.Random, language: str, lists: dict[str, Any]) -> None:
        self._draw, self._language, self._lists = draw, language, lists
        self._people: dict[str, tuple[str, str]] = {}

    def write(self, genre: str, template: str, variant: int) -> Document:
        """The document."""
        parts: list[str] = []
        spans: list[Planted] = []
        at = length = 0
        for slot in _SLOT.finditer(template):
            before, (lead, value) = template[at : slot.start()], self._value(slot[1], slot[2])
            start = length + len(before) + len(lead)
            category = _CATEGORY.get(slot[1], slot[1])
            spans.append(Planted(start, start + len(value), category, str(assets()["categories"][category]["label"])))
            parts += [before, lead, value]
            length, at = start + len(value), slot.end()
        text = "".join([*parts, template[at:]])
        return Document(f"{self._language}-{genre}-{variant}", self._language, genre, text, tuple(spans))

    def _value(self, slot: str, who: str | None) -> tuple[str, str]:
        """What stands before the value and is none of it (a title), and the value."""
        if slot in _DRAWN:
            return "", _DRAWN[slot](self._draw, self._language)
        if slot in ("city", "organisation"):
            return "", self._one("cities" if slot == "city" else "organisations")
        if slot == "address":
            return "", shapes.house(self._draw, self._language, self._one("streets"))
        return self._person(slot, *self._who(who))

    def _person(self, slot: str, given: str, family: str) -> tuple[str, str]:
        written = {
            "person": f"{given} {family}",
            "given": given,
            "titled": family,
            "reversed": f"{family}, {given}",
            "email": self._mailbox(given, family) if slot == "email" else "",
        }
        return f"{self._one('titles')} " if slot == "titled" else "", written[slot]

    def _who(self, who: str | None) -> tuple[str, str]:
        key = who or f"nobody {len(self._people)}"
        if key not in self._people:
            self._people[key] = self._one("given"), self._one("family")
        return self._people[key]

    def _mailbox(self, given: str, family: str) -> str:
        first, last = values.ascii_letters(given), values.ascii_letters(family)
        name = self._draw.choice((f"{first}.{last}", f"{first[0]}{last}", f"{last}_{self._draw.randint(2, 99)}"))
        host = self._draw.choice(("mail", "post", "office", "home"))
        return f"{name}@{host}.example.{self._draw.choice(('com', 'org', 'net'))}"

    def _one(self, name: str) -> str:
        return str(self._draw.choice(self._lists[name]))
