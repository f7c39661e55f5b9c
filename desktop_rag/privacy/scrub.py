"""Replacing personal data in a text, with exact offsets back and forth."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from desktop_rag.privacy.classes import TOKEN

Policy = Literal["keep", "mask", "pseudonymise", "remove", "substitute"]
POLICIES: tuple[Policy, ...] = ("substitute", "pseudonymise", "mask", "remove", "keep")
"""As they are offered. The first is the default: of those that can be turned back it costs the search least."""
# What stands for a value under these leads back to it, through the vault.
REVERSIBLE: frozenset[str] = frozenset({"pseudonymise", "substitute"})


@dataclass(frozen=True, slots=True)
class Replacement:
    """`original[start:end]` becomes `token`."""

    start: int
    end: int
    token: str


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """A scrubbed text and where each replacement stands in it (`places`, same order)."""

    text: str
    replacements: tuple[Replacement, ...]
    places: tuple[tuple[int, int], ...]

    def to_scrubbed(self, offset: int) -> int:
        """Where an original offset lies now; inside a replaced value, its token's start."""
        return _shift(offset, [(r.start, r.end) for r in self.replacements], self.places)

    def to_original(self, offset: int, *, end: bool = False) -> int:
        """Where a scrubbed offset lay; inside a token, its value's start.

        `end`: the offset is an exclusive end. It lies before a value that was removed there, and inside a
        token it means its value's end.
        """
        shift = _shift_end if end else _shift
        return shift(offset, self.places, [(r.start, r.end) for r in self.replacements])


def _shift(offset: int, here: Sequence[tuple[int, int]], there: Sequence[tuple[int, int]]) -> int:
    at = bisect_right(here, offset, key=lambda place: place[0]) - 1
    if at < 0:
        return offset
    # An empty place (a removed value) ends where it starts.
    if offset < here[at][1]:
        return there[at][0]
    return there[at][1] + offset - here[at][1]


def _shift_end(offset: int, here: Sequence[tuple[int, int]], there: Sequence[tuple[int, int]]) -> int:
    at = bisect_left(here, offset, key=lambda place: place[0]) - 1
    return offset if at < 0 else there[at][1] + max(0, offset - here[at][1])


def replacement_token(policy: Policy, label: str, stand_in: str) -> str:
    """What stands for a value under this policy; `stand_in`: what the vault has for it."""
    if policy == "remove":
        return ""
    return stand_in if policy in REVERSIBLE else f"[{label}]"


def finder(stand_ins: Collection[str]) -> re.Pattern[str] | None:
    """What finds stand-ins in a text, the longest first and whole words only; None where there are none."""
    ordered = sorted(stand_ins, key=len, reverse=True)
    return re.compile("|".join(_whole(item) for item in ordered)) if ordered else None


def put_back(text: str, values: Mapping[str, str]) -> str:
    """The text with real values for their stand-ins, in one pass: what was put in is not looked at again."""
    found = finder(values)
    return found.sub(lambda match: values[match.group()], text) if found else text


def _whole(item: str) -> str:
    before = r"(?<!\w)" if item[:1].isalnum() else ""
    after = r"(?!\w)" if item[-1:].isalnum() else ""
    return f"{before}{re.escape(item)}{after}"


def scrub(text: str, replacements: Sequence[Replacement]) -> Scrubbed:
    """Apply replacements (sorted, not overlapping); look-alikes of tokens an author typed are disarmed.

    A "[PERSON_3]" that stands in the user's own file becomes "(PERSON_3)", so that it can never be
    taken for, or turned back into, somebody.
    """
    everything = _with_look_alikes(text, replacements)
    while True:
        result = _applied(text, everything)
        joined = _joined(result)
        if joined is None:
            return result
        # Taking a value out has put a token together: its bracket goes.
        everything = sorted([*everything, Replacement(joined, joined + 1, "(")], key=lambda r: r.start)


def _applied(text: str, everything: Sequence[Replacement]) -> Scrubbed:
    parts: list[str] = []
    places: list[tuple[int, int]] = []
    at = length = 0
    for item in everything:
        kept = text[at : item.start]
        length += len(kept)
        places.append((length, length + len(item.token)))
        length += len(item.token)
        parts += [kept, item.token]
        at = item.end
    parts.append(text[at:])
    return Scrubbed("".join(parts), tuple(everything), tuple(places))


def _joined(result: Scrubbed) -> int | None:
    """Where in the original a token begins that no replacement put there."""
    for match in TOKEN.finditer(result.text):
        at = bisect_right(result.places, match.start(), key=lambda place: place[0]) - 1
        if at < 0 or match.start() >= result.places[at][1]:
            return result.to_original(match.start())
    return None


def _with_look_alikes(text: str, replacements: Sequence[Replacement]) -> list[Replacement]:
    taken = sorted(replacements, key=lambda r: r.start)
    disarmed = [
        Replacement(m.start(), m.end(), f"({m.group()[1:-1]})")
        for m in TOKEN.finditer(text)
        if all(m.end() <= r.start or m.start() >= r.end for r in taken)
    ]
    return sorted([*taken, *disarmed], key=lambda r: r.start)
