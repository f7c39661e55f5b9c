"""BM25 as numbers: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009). Pure.

score = idf · tf (k1 + 1) / (tf + k1 (1 - b + b · length / average length))
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Numbers = np.ndarray[Any, np.dtype[Any]]
Idf = Literal["lucene", "robertson", "plain"]


@dataclass(frozen=True, slots=True)
class Bm25:
    """The settings of the formula.

    `idf` of a word in n of N passages: "lucene" ln(1 + (N - n + .5) / (n + .5)), never negative; "robertson"
    ln((N - n + .5) / (n + .5)), not below 0; "plain" ln(N / n).
    """

    k1: float = 1.2
    b: float = 0.75
    idf: Idf = "lucene"

    def rarity(self, total: int, having: int) -> float:
        """The idf of a word that `having` of `total` passages have."""
        if self.idf == "plain":
            return math.log(total / having)
        odds = (total - having + 0.5) / (having + 0.5)
        return math.log(1 + odds) if self.idf == "lucene" else max(0.0, math.log(odds))

    def saturated(self, frequencies: Numbers, lengths: Numbers, average: float) -> Numbers:
        """What is multiplied with the idf, for each passage."""
        even, longer = self.k1 * (1 - self.b), self.k1 * self.b / average
        return np.asarray(frequencies * (self.k1 + 1) / (frequencies + (even + longer * lengths)))


@dataclass(frozen=True, slots=True)
class TermScore:
    """What one word of a question gives a passage. `score` = times · idf · length_factor."""

    term: str
    times: int
    """In the question."""
    frequency: int
    """In the passage."""
    passages: int
    """That have it."""
    idf: float
    length_factor: float
    score: float
