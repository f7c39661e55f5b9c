"""What a finder of personal data says about a text, and what every finder is."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Finding:
    """`text[start:end]` (code points) looks like personal data of class `label`; `score` in 0..1."""

    start: int
    end: int
    label: str
    score: float


class Detector(Protocol):
    """Anything that finds personal data in texts."""

    def detect(self, texts: Sequence[str]) -> Iterator[list[Finding]]:
        """One list of findings per text, in order, sorted and without overlaps."""
        ...


def disjoint(*groups: Sequence[Finding]) -> list[Finding]:
    """The findings that overlap none taken before them, in the order given; sorted by start."""
    starts: list[int] = []
    taken: list[Finding] = []
    for finding in (one for group in groups for one in group):
        at = bisect_right(starts, finding.start)
        before_ends = at == 0 or taken[at - 1].end <= finding.start
        if before_ends and (at == len(taken) or finding.end <= taken[at].start):
            starts.insert(at, finding.start)
            taken.insert(at, finding)
    return taken
