"""What a finder of personal data says about a text, and what every finder is."""

from __future__ import annotations

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
