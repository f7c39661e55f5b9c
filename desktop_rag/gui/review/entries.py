"""The rows of the list of found values: headings by type, the doubtful first, and the values below them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from desktop_rag.gui import words
from desktop_rag.gui.review.decisions import Decisions, Span
from desktop_rag.gui.review.stand_ins import stand_in

_SMALL = 80
_LOOK_CLOSER = "POSSIBLE_NAME"  # kept unless it is ticked, so it must not be missed


@dataclass(slots=True, eq=False)
class Entry:
    """A value: one place of it, or all its places in several documents."""

    label: str
    places: list[tuple[Decisions, Span]]
    together: bool = False

    @property
    def span(self) -> Span:
        """Its first place; of a doubtful one the first that is in doubt."""
        return next((span for _, span in self.places if span.doubtful), self.places[0][1])

    @property
    def document(self) -> Decisions:
        """The document of its first place."""
        span = self.span
        return next(decisions for decisions, each in self.places if each is span)

    @property
    def replaced(self) -> int:
        """How many of its places are replaced."""
        return sum(span.replace for _, span in self.places)

    @property
    def is_doubtful(self) -> bool:
        """Whether one of them is in doubt."""
        return any(span.doubtful for _, span in self.places)

    @property
    def stand_in(self) -> tuple[str, bool]:
        """What its first place that is replaced becomes, and whether that is settled; "" where there is no telling."""
        told = (stand_in(*place) for place in self.places)
        return next((each for each in told if each[0]), ("", False))

    @property
    def note(self) -> str:
        """What stands at the right: what is remembered of it, why it is in doubt, how often and where it stands."""
        span = self.span
        if span.rule:
            return "Always" if span.rule == "always" else "Never"
        if self.together:
            documents = len({decisions.document for decisions, _ in self.places})
            times = f"{words.count(len(self.places))}×"
            return f"{times} in {words.count(documents)}" if documents > 1 else times
        return f"{words.label_name(span.label)}?" if span.doubtful else span.place


@dataclass(slots=True, eq=False)
class Heading:
    """A type with its values; "" are those to be checked."""

    label: str
    entries: list[Entry] = field(default_factory=list)
    opened: bool = False

    @property
    def name(self) -> str:
        """How it reads."""
        return words.label_name(self.label) if self.label else "To check"

    @property
    def places(self) -> list[tuple[Decisions, Span]]:
        """The places of all its values."""
        return [place for entry in self.entries for place in entry.places]


Row = Heading | Entry


def headings(places: Iterable[tuple[Decisions, Span]], *, together: bool = False) -> list[Heading]:
    """The values by type: the doubtful first, then what is replaced, then what is kept; `together`, equal ones once."""
    by_label: dict[str, list[Entry]] = {}
    for entry in _together(places) if together else (Entry(place[1].label, [place]) for place in places):
        by_label.setdefault("" if entry.is_doubtful else entry.label, []).append(entry)
    found = [Heading(label, entries) for label, entries in sorted(by_label.items(), key=_order)]
    for heading in found:
        wanted = any(span.default for _, span in heading.places)
        heading.opened = heading is found[0] or (wanted and len(heading.entries) < _SMALL)
    return found


def _together(places: Iterable[tuple[Decisions, Span]]) -> list[Entry]:
    by_value: dict[tuple[str, str], Entry] = {}
    for place in places:
        value = (place[1].label, place[1].key or place[1].text)
        by_value.setdefault(value, Entry(place[1].label, [], together=True)).places.append(place)
    return sorted(by_value.values(), key=lambda entry: (-len(entry.places), entry.span.key))


def _order(group: tuple[str, list[Entry]]) -> tuple[bool, bool, bool, int, str]:
    label, entries = group
    wanted = any(span.default for entry in entries for _, span in entry.places)
    return bool(label), label != _LOOK_CLOSER, not wanted, -len(entries), label
