"""Made-up collections of any size for measuring the search: words as frequent as in natural text, and vectors to them.

Word frequencies follow Zipf and Mandelbrot, p(r) ~ 1 / (r + 2.7); each document has words of its own that come back,
as natural ones have. A passage's vector is a sparse random projection of its words (Achlioptas, 2003), so that
passages with words in common lie close to each other. The same numbers give the same collection. Pure.
"""

from __future__ import annotations

from typing import Any

import numpy as np

PASSAGES = 20
"""Passages of a document."""
WORDS = 180
"""Words of a passage."""
VERSION = 1
_VOCABULARY = 300_000
_SHIFT = 2.7
_OWN_WORDS = 150
_OWN_SHARE = 0.3
_SENTENCE = 18
_PROJECTED = 8
# The most frequent words of a text are those that a search leaves out.
_FREQUENT = (
    "the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which"
    " one you were all her she there would their we him been has when who will no more if out so up said what its about"
    " than into them can only other some could these two may then do first any my now such like over me our even most"
    " made after also did many off before must well back through years much where your way down should because those"
).split()
_SYLLABLES = [first + vowel for first in "bdfgklmnprstvz" for vowel in ("a", "e", "i", "o", "u", "al", "en", "or")]
Numbers = np.ndarray[Any, np.dtype[np.int64]]
Singles = np.ndarray[Any, np.dtype[np.float32]]


def word(rank: int) -> str:
    """The word of this rank, counted from 0; no two are alike."""
    if rank < len(_FREQUENT):
        return _FREQUENT[rank]
    syllables: list[str] = []
    rest = rank
    while rest or len(syllables) < 3:
        rest, one = divmod(rest, len(_SYLLABLES))
        syllables.append(_SYLLABLES[one])
    return "".join(syllables)


class Prose:
    """Documents by their number."""

    def __init__(self, dimension: int = 384, seed: int = 0) -> None:
        self._seed = seed
        self._dimension = dimension
        shares = 1 / (np.arange(_VOCABULARY) + 1 + _SHIFT)
        self._reached = np.cumsum(shares / shares.sum())
        self._words = [word(rank) for rank in range(_VOCABULARY)]
        draw = np.random.default_rng(seed)
        self._places = draw.integers(0, dimension, (_VOCABULARY, _PROJECTED))
        # A frequent word says little of what a passage is about.
        weights = np.log1p(np.arange(_VOCABULARY))[:, None]
        self._weights = weights * draw.choice((-1.0, 1.0), (_VOCABULARY, _PROJECTED))

    def document(self, number: int) -> list[Numbers]:
        """The ranks of the words of each passage."""
        draw = np.random.default_rng([self._seed, number])
        own = self._drawn(draw, _OWN_WORDS)
        passages = []
        for _ in range(PASSAGES):
            ranks = self._drawn(draw, WORDS)
            again = draw.random(WORDS) < _OWN_SHARE
            ranks[again] = draw.choice(own, int(again.sum()))
            passages.append(ranks)
        return passages

    def text(self, ranks: Numbers) -> str:
        """A passage in sentences."""
        words = [self._words[rank] for rank in ranks.tolist()]
        return " ".join(" ".join(words[at : at + _SENTENCE]) + "." for at in range(0, len(words), _SENTENCE))

    def vector(self, ranks: Numbers) -> Singles:
        """The passage's vector, of length 1."""
        places, weights = self._places[ranks].ravel(), self._weights[ranks].ravel()
        summed = np.bincount(places, weights, self._dimension)
        return np.asarray(summed / max(1e-9, float(np.linalg.norm(summed))), dtype=np.float32)

    def question(self, number: int, documents: int, words: int = 9) -> str:
        """Words of one passage, none of them so frequent that a search leaves it out."""
        draw = np.random.default_rng([self._seed, number, documents])
        passage = self.document(int(draw.integers(documents)))[int(draw.integers(PASSAGES))]
        telling = np.unique(passage[passage >= len(_FREQUENT)])
        return " ".join(self._words[rank] for rank in draw.choice(telling, min(words, len(telling)), replace=False))

    def _drawn(self, draw: np.random.Generator, count: int) -> Numbers:
        return np.searchsorted(self._reached, draw.random(count)).clip(max=_VOCABULARY - 1)
