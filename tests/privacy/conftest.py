"""The real detector once per run, and one that knows a few words only."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Sequence

import pytest

from desktop_rag import paths
from desktop_rag.privacy.detect import PresidioDetector
from desktop_rag.privacy.finding import Detector, Finding


class WordDetector:
    """Finds the given words wherever they stand: {word: label}."""

    def __init__(self, words: dict[str, str], score: float = 0.85) -> None:
        self._words = words
        self._score = score
        self.asked: list[str] = []

    def detect(self, texts: Sequence[str]) -> Iterator[list[Finding]]:
        for text in texts:
            self.asked.append(text)
            found = []
            for word, label in self._words.items():
                at = text.find(word)
                while at >= 0:
                    found.append(Finding(at, at + len(word), label, self._score))
                    at = text.find(word, at + 1)
            yield sorted(found, key=lambda f: f.start)


@pytest.fixture
def word_detector() -> type[WordDetector]:
    """See WordDetector."""
    return WordDetector


@pytest.fixture(scope="session")
def real_detector() -> Detector:
    """Presidio with the application's network, loaded as in the library process: without torch."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("torch", "transformers"):
            if name not in sys.modules:
                patch.setitem(sys.modules, name, None)
        detector = PresidioDetector(paths.assets_dir() / "recogniser")
        next(iter(detector.detect(["Jean Rivera called."])))
    return detector
