"""What stands in the stored text of a document though it is known to be private: places that were overlooked there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from desktop_rag.privacy.marks import Mark, laid_over
from desktop_rag.privacy.rules import Rules
from desktop_rag.privacy.scrub import Replacement, Scrubbed
from desktop_rag.privacy.sieve import Sieve
from desktop_rag.privacy.vault import Vault
from desktop_rag.store.connection import Connection
from desktop_rag.store.reviews import LOOK_ALIKE

# A letter that no name has: what it stands for is a word of its own, and part of no other.
_HIDING = "\ua66e"
# As where a known name is found while a document is read: it was replaced before.
_SCORE = 0.99
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Sought:
    """What may not stand in a collection's documents; `vaults` gives the vaults as they are when it is called.

    With a sieve, only texts that it lets through are looked at.
    """

    vaults: Callable[[], Sequence[Vault]]
    rules: Rules
    sieve: Sieve | None = None

    def may_stand_in(self, text: str) -> bool:
        """Whether it is worth looking closer."""
        return self.sieve is None or self.sieve.may_hold(text)

    def standing(self, text: str, stand_ins: Iterable[Place], kept: Sequence[Mark] = ()) -> list[Mark]:
        """Where it stands in a stored text, but for what stands for values there, and for what a person `kept`."""
        hidden = _without(text, stand_ins)
        known = [
            Mark(match.start, match.end, match.entries[0].label, _SCORE, replace=True)
            for vault in self.vaults()
            for match in vault.find(hidden, written_as_name=True)
            if self.rules.replaces(match.entries[0].label, _SCORE)
        ]
        wanted = [mark for mark in known if not any(k.start <= mark.start and mark.end <= k.end for k in kept)]
        settled = self.rules.settle(hidden, laid_over(hidden, kept, wanted))
        return [mark for mark in settled if mark.replace]


@dataclass(frozen=True, slots=True)
class Span:
    """A private place of a stored page: where it is in the original, and where now.

    `stands`: something stands there for what was there. `kept`: a person wanted it to stay.
    """

    id: int
    original: Place
    place: Place
    label: str
    stands: bool
    kept: bool

    def gives_way(self, mark: Mark) -> bool:
        """Whether it goes where a mark is laid over it; what stands for a value goes only if it lies inside."""
        start, end = self.place
        if self.stands:
            return mark.start < start and end < mark.end
        return start < mark.end and mark.start < end


@dataclass
class StoredPage:
    """A page as it is stored, its places in order."""

    id: int
    text: str
    spans: list[Span]

    @property
    def stand_ins(self) -> list[Place]:
        """Where something stands for a value."""
        return [span.place for span in self.spans if span.stands]

    @property
    def kept(self) -> list[Mark]:
        """What a person wanted to stay."""
        return [Mark(*span.place, span.label, 1.0, replace=False, decided=True) for span in self.spans if span.kept]

    @cached_property
    def to_original(self) -> Scrubbed:
        """The way back to the page's original text."""
        stands = [span for span in self.spans if span.stands]
        return Scrubbed(
            "", tuple(Replacement(*span.original, "") for span in stands), tuple(span.place for span in stands)
        )


def stored_page(db: Connection, page: int, text: str) -> StoredPage:
    """A page of a document that is indexed, with its stored text."""
    rows = db.execute(
        "SELECT id, start, end, scrubbed_start, scrubbed_end, label, replace OR label = ?1, decided AND NOT replace"
        " FROM spans WHERE page_id = ?2 AND scrubbed_start IS NOT NULL ORDER BY start, id",
        (LOOK_ALIKE, page),
    )
    spans = [
        Span(i, (start, end), (now_start, now_end), label, bool(stands), bool(kept))
        for i, start, end, now_start, now_end, label, stands, kept in map(tuple, rows)
    ]
    return StoredPage(page, text, spans)


def _without(text: str, places: Iterable[Place]) -> str:
    """The text, as long as before, with nothing to be read in these places."""
    parts, at = [], 0
    for start, end in sorted(places):
        parts += [text[at:start], _HIDING * (end - start)]
        at = end
    return "".join([*parts, text[at:]])
