"""How well personal data is found: precision, recall and F over characters, from spans alone.

Everything is counted in characters. A character counts as found whatever its class is said to be, except in the
figures per label, where the class has to be right too.

The classes `direct` and `quasi` are those of what is to be found. Their recall is the share of their characters that
was found. For their precision, what was found of the other class is left out: it is no mistake, and none of theirs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from desktop_rag.paths import assets_dir
from desktop_rag.privacy.classes import is_direct

Span = Mapping[str, Any]
"""`start`, `end`, `label`; of gold also `identifier_class` and `protection`, where a set has them."""


@dataclass(frozen=True, slots=True)
class Row:
    """One text with what is to be found in it, and what was found."""

    gold: Sequence[Span]
    found: Sequence[Span]


@dataclass(slots=True)
class Tally:
    """Characters counted: found and right, found and wrong, missed."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def figures(self) -> dict[str, float | None]:
        """precision, recall, f1, f2 in 0..1; None where nothing was found or nothing was to be found."""
        found, gold = self.right + self.wrong, self.right + self.missed
        return {
            "precision": round(self.right / found, 4) if found else None,
            "recall": round(self.right / gold, 4) if gold else None,
            "f1": self._f(1),
            "f2": self._f(2),
        }

    def _f(self, beta: int) -> float | None:
        """F-beta (van Rijsbergen 1979): recall weighs beta times as much as precision."""
        if not self.right + self.missed:
            return None
        weight = beta * beta
        return round((1 + weight) * self.right / ((1 + weight) * self.right + weight * self.missed + self.wrong), 4)


@dataclass(slots=True)
class Score:
    """The tallies of all rows so far."""

    overall: Tally = field(default_factory=Tally)
    classes: dict[str, Tally] = field(default_factory=lambda: {"direct": Tally(), "quasi": Tally()})
    labels: dict[str, Tally] = field(default_factory=dict)
    spans: dict[str, int] = field(default_factory=dict)
    covered: dict[str, int] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Count one row in."""
        wanted = [span for span in row.gold if span.get("protection") != "keep"]
        gold, found = _characters(wanted), _characters(row.found)
        _count(self.overall, gold, found)
        for name, tally in self.classes.items():
            own = _characters(span for span in wanted if _class_of(span) == name)
            _count(tally, own, found - (gold - own))
        self._add_labels(wanted, row.found, found)

    def _add_labels(self, wanted: Sequence[Span], spans: Sequence[Span], found: set[int]) -> None:
        for label in {str(span["label"]) for span in wanted}:
            named = [span for span in wanted if span["label"] == label]
            own = _characters(named)
            kin = _characters(span for span in wanted if same_class(span["label"]) == same_class(label))
            said = _characters(span for span in spans if same_class(span["label"]) == same_class(label))
            _count(self.labels.setdefault(label, Tally()), own, said - (kin - own))
            self.spans[label] = self.spans.get(label, 0) + len(named)
            self.covered[label] = self.covered.get(label, 0) + len(own & found)

    def figures(self) -> dict[str, Any]:
        """`overall`, `direct`, `quasi` and `labels`.

        A label's `found` is the share of its characters found under any class, `spans` how many there are. Its
        precision is taken over the rows that hold this label.
        """
        labels = {}
        for label in sorted(self.labels, key=lambda name: -self.spans[name]):
            tally = self.labels[label]
            share = round(self.covered[label] / max(1, tally.right + tally.missed), 4)
            labels[label] = {**tally.figures(), "found": share, "spans": self.spans[label]}
        return {
            "overall": self.overall.figures(),
            **{name: tally.figures() for name, tally in self.classes.items()},
            "labels": labels,
        }


def score(rows: Iterable[Row]) -> dict[str, Any]:
    """The figures of these rows (see `Score.figures`)."""
    total = Score()
    for row in rows:
        total.add(row)
    return total.figures()


def same_class(label: str) -> str:
    """The application's name for a label, which a labelled set or another finder may call differently."""
    return _known_as().get(label, label)


@cache
def _known_as() -> dict[str, str]:
    return dict(json.loads((assets_dir() / "pii_classes.json").read_text(encoding="utf-8"))["known_as"])


def _class_of(span: Span) -> str:
    given = span.get("identifier_class")
    return str(given) if given else "direct" if is_direct(same_class(str(span["label"]))) else "quasi"


def _characters(spans: Iterable[Span]) -> set[int]:
    return {place for span in spans for place in _places(span)}


def _places(span: Span) -> Iterator[int]:
    yield from range(int(span["start"]), int(span["end"]))


def _count(tally: Tally, gold: set[int], found: set[int]) -> None:
    right = len(gold & found)
    tally.right += right
    tally.wrong += len(found) - right
    tally.missed += len(gold) - right
