"""Who is behind a pseudonym: the entries of one collection, their aliases, and finding them in a text.

`[PERSON_3]` is the same person in every document of the collection. "Jean Rivera", "Mr Rivera" and
"J. Rivera" are one entry when nothing speaks against it; where two people share a name, each
document's own person is preferred. Entries and aliases are separate, so people can be merged later.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from desktop_rag.privacy.fold import fold, words

# Names that are also everyday words: alone, they match only where they are written as a name.
AMBIGUOUS = frozenset(
    "will may mark grant bill art rose hope faith joy grace dean chase brook page case price rich young long "
    "short small black white brown green gray grey king bishop baker cook hunter mason miller carter smith french "
    "english west north south east day summer winter march april june august may wood stone hill field lane park "
    "rice bean berry best good love the and for who what when where why how did does was were has had can could "
    "would should shall must said say they company party parties agreement section article board client customer "
    "owner tenant landlord buyer seller employee employer manager director president chair officer agent lender "
    "borrower".split()
)
_MONTHS = frozenset("march april may june august".split())
_NUMBER_BEFORE = re.compile(r"\d(?:st|nd|rd|th|\.)?(?: of)?\s\Z")
_NUMBER_AFTER = re.compile(r",?\s\d")
# From so many digits on, a number is the same however it is grouped.
_MANY_DIGITS = 7
_MOST_GROUPS = 10
# What an address has beside its street; a street of one word is a long one: Hauptstraße.
_UNITS = frozenset("flat apt apartment suite unit floor room no nr box po app appt piso int scala m lok".split())
_LONG_STREET = 8
_SEGMENT = re.compile(r"[^,;\n]+")

_Key = TypeVar("_Key", str, tuple[str, str], tuple[str, ...])


class VaultRows(Protocol):
    """Where entries are kept."""

    def add_entry(self, label: str) -> tuple[int, int]:
        """Store a new entry; returns its id and its number, unique among all entries of the label."""
        ...

    def add_alias(self, entry: int, folded: str, value: str) -> None:
        """Store one spelling of an entry."""
        ...


@dataclass(slots=True)
class Entry:
    """One person, account or place; `aliases` maps folded spellings to one original spelling.

    `substitutes`: what stands for each of them where documents hold believable values (see `substitutes`).
    """

    id: int
    label: str
    number: int
    aliases: dict[str, str] = field(default_factory=dict)
    substitutes: dict[str, str] = field(default_factory=dict)

    @property
    def pseudonym(self) -> str:
        """The token that stands for it in every scrubbed text."""
        return f"[{self.label}_{self.number}]"

    @property
    def value(self) -> str:
        """Its fullest known spelling: of most words, then the longest, capitals only where there is no other."""
        spellings = [" ".join(value.split()) for value in self.aliases.values()]
        return max(spellings, key=lambda v: (len(words(v)), len(v), not v.isupper()), default=self.pseudonym)


@dataclass(frozen=True, slots=True)
class Match:
    """`text[start:end]` is a known value of `entries` (more than one when a name is shared)."""

    start: int
    end: int
    entries: tuple[Entry, ...]


class Vault:
    """The entries of one collection, held in memory while it is open."""

    def __init__(self, rows: VaultRows, entries: Iterable[Entry] = ()) -> None:
        self._rows = rows
        self.entries: dict[int, Entry] = {}
        # A library knows tens of thousands of values; nearly all mean one entry, and a tuple is the smallest holder.
        self._exact: dict[tuple[str, str], tuple[Entry, ...]] = {}
        self._phrases: dict[tuple[str, ...], tuple[Entry, ...]] = {}
        self._numbers: dict[str, tuple[Entry, ...]] = {}
        # How many words the longest phrase has that begins with a word: most words begin none.
        self._reach: dict[str, int] = {}
        for entry in entries:
            self.entries[entry.id] = entry
            for folded, value in entry.aliases.items():
                self.index(entry, folded, value)

    def resolve(self, label: str, value: str, nearby: Iterable[int] = ()) -> Entry:
        """The entry of a value found in a document, made if it is new.

        `nearby`: ids of the entries the same document mentions, the nearest last; they win where a name is shared.
        """
        folded = fold(label, value)
        known: Sequence[Entry] = self._exact.get((label, folded), ())
        if label == "PERSON" and not (known and is_full_name(folded)):
            known = self._perhaps(folded)
        entry = _prefer(known, folded, nearby)
        if entry is None:
            identity, number = self._rows.add_entry(label)
            entry = self.entries[identity] = Entry(identity, label, number)
        if folded not in entry.aliases:
            entry.aliases[folded] = value
            self._rows.add_alias(entry.id, folded, value)
            self.index(entry, folded, value)
        return entry

    def find(self, text: str, *, written_as_name: bool) -> list[Match]:
        """Known values in a text, longest first, without overlaps.

        `written_as_name`: a lone part of a name counts only where it is capitalised (documents);
        else case does not matter (questions), but everyday words still need their capital.
        """
        tokens = words(text) if self._exact or self._reach else []
        found: list[Match] = []
        at = 0
        while at < len(tokens):
            word = tokens[at][0]
            if word not in self._reach and word.isalpha():  # most words: neither a name nor a number begins here
                at += 1
                continue
            match = self._longest_at(text, tokens, at, written_as_name)
            if match is None:
                at += 1
                continue
            found.append(match[0])
            at += match[1]
        return found

    def by_pseudonym(self) -> dict[str, Entry]:
        """Every entry under its token."""
        return {entry.pseudonym: entry for entry in self.entries.values()}

    def index(self, entry: Entry, folded: str, value: str) -> None:
        """Let `find` know a spelling of an entry."""
        _put(self._exact, (entry.label, folded), entry)
        phrase = tuple(folded.split()) if entry.label == "PERSON" else tuple(word for word, _, _ in words(value))
        if phrase:
            self._know(phrase, entry)
        if entry.label != "PERSON" and _is_number(folded):
            _put(self._numbers, folded, entry)
        if entry.label == "STREET_ADDRESS" and (found := street(value)):
            self._know(tuple(word for word, _, _ in found), entry)
        if entry.label == "PERSON" and len(phrase) > 1:
            for part in phrase:
                if len(part) > 2:
                    self._know((part,), entry)

    def _know(self, phrase: tuple[str, ...], entry: Entry) -> None:
        _put(self._phrases, phrase, entry)
        self._reach[phrase[0]] = max(self._reach.get(phrase[0], 0), len(phrase))

    def _perhaps(self, folded: str) -> list[Entry]:
        """Everybody whom a part of a name can mean, those known by exactly that part among them."""
        exact = self._exact.get(("PERSON", folded), ())
        return [*exact, *(e for e in self._same_person(folded) if all(e.id != other.id for other in exact))]

    def _same_person(self, folded: str) -> list[Entry]:
        """People whose known name and `folded` fit together: one part of the other, or initials that agree."""
        parts = folded.split()
        if not parts:
            return []
        candidates = self._phrases.get((parts[-1],), ()) if len(parts) > 1 else self._phrases.get((parts[0],), ())
        people = [
            e for e in candidates if e.label == "PERSON" and any(_compatible(parts, a.split()) for a in e.aliases)
        ]
        # Every full name an entry has must agree, else "J. Rivera" could join Jean and José.
        return [e for e in people if all(_compatible(parts, a.split()) for a in e.aliases)]

    def _longest_at(
        self, text: str, tokens: list[tuple[str, int, int]], at: int, written_as_name: bool
    ) -> tuple[Match, int] | None:
        number = self._number_at(text, tokens, at)
        if number is not None:
            return number
        for length in range(min(self._reach.get(tokens[at][0], 0), len(tokens) - at), 0, -1):
            phrase = tuple(word for word, _, _ in tokens[at : at + length])
            entries = self._phrases.get(phrase)
            if not entries:
                continue
            start, end = tokens[at][1], tokens[at + length - 1][2]
            if length == 1 and not _counts_alone(phrase[0], text, start, end, written_as_name):
                continue
            return Match(start, end, tuple(entries)), length
        return None

    def _number_at(self, text: str, tokens: list[tuple[str, int, int]], at: int) -> tuple[Match, int] | None:
        """A known number, grouped in whatever way."""
        if not self._numbers or not any(c.isdigit() for c in tokens[at][0]):
            return None
        for length in range(min(_MOST_GROUPS, len(tokens) - at), 0, -1):
            entries = self._numbers.get("".join(word for word, _, _ in tokens[at : at + length]))
            if entries:
                start, end = tokens[at][1], tokens[at + length - 1][2]
                start -= text[:start].endswith("+")
                return Match(start, end, tuple(entries)), length
        return None


def street(value: str) -> list[tuple[str, int, int]]:
    """The words of an address's street without its number: people ask about "the flat in Harbour Road"."""
    for segment in _SEGMENT.finditer(value):
        parts = [(word, segment.start() + start, segment.start() + end) for word, start, end in words(segment.group())]
        found = [part for part in parts if part[0].isalpha() and part[0] not in _UNITS]
        if len(parts) > len(found) and (len(found) > 1 or any(len(word) >= _LONG_STREET for word, _, _ in found)):
            return found
    return []


def _counts_alone(word: str, text: str, start: int, end: int, written_as_name: bool) -> bool:
    capital = text[start].isupper()
    if word in AMBIGUOUS:
        dated = word in _MONTHS and (_NUMBER_BEFORE.search(text, 0, start) or _NUMBER_AFTER.match(text, end))
        return capital and start > 0 and not dated
    return capital or any(c.isdigit() for c in word) or not written_as_name


def _is_number(folded: str) -> bool:
    digits = sum(c.isdigit() for c in folded)
    return digits >= _MANY_DIGITS and 2 * digits > len(folded)


def is_full_name(value: str) -> bool:
    """Whether a name, its title aside, has more than one part and no bare initials."""
    parts = fold("PERSON", value).split()
    return len(parts) > 1 and all(len(part) > 1 for part in parts)


def _prefer(entries: Sequence[Entry], folded: str, nearby: Iterable[int]) -> Entry | None:
    """Whom the document mentioned last; else the only one there is, or the one known by nothing but this part."""
    if len(entries) == 1:
        return entries[0]
    mentioned = {identity: place for place, identity in enumerate(nearby)}
    here = [entry for entry in entries if entry.id in mentioned]
    if here:
        return max(here, key=lambda entry: mentioned[entry.id])
    return next((entry for entry in entries if set(entry.aliases) == {folded}), None)


def _compatible(left: list[str], right: list[str]) -> bool:
    """Whether two folded names can be one person's: same last name (or one bare part), first names that agree."""
    if not left or not right:
        return False
    short, full = sorted((left, right), key=len)
    if len(short) == 1:
        return short[0] in full
    if short[-1] != full[-1]:
        return False
    first = zip(short[:-1], full[:-1], strict=False)
    return all(a == b or (min(len(a), len(b)) == 1 and a[0] == b[0]) for a, b in first)


def _put(table: dict[_Key, tuple[Entry, ...]], key: _Key, entry: Entry) -> None:
    held: tuple[Entry, ...] = table.get(key, ())
    if all(other.id != entry.id for other in held):
        table[key] = (*held, entry)
