"""Finding personal data: Presidio as the frame, filled with its recognisers and with our own.

Findings come back as code point spans of the text given in, without overlaps.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

from desktop_rag.privacy.believable import believable
from desktop_rag.privacy.finding import Detector, Finding
from desktop_rag.privacy.recogniser import LABELS, Found, Recogniser
from desktop_rag.privacy.sift import sift

SCRUBBER_VERSION = "2"
# What the network calls a number with a meaning; which one is for the patterns to say.
_CALLED = {"ID_NUMBER": "RECORD_NUMBER"}
# Nothing that the network says is as sure as a checksum or a title before a name.
_MOST = 0.84


class PresidioDetector:
    """Presidio's analyser with the network in `folder`. Not thread-safe.

    `second` is asked as well, where there is one. Raises ModelError("not_installed") where the network is missing,
    ("incompatible") where it is damaged.
    """

    def __init__(self, folder: Path, second: Detector | None = None) -> None:
        self._network = Recogniser(folder)
        self._second = second
        # Presidio brings spaCy, which only the processes that look for personal data may hold.
        from desktop_rag.privacy import frame

        self._artifacts, self._language = frame.Artifacts, frame.LANGUAGE
        self._analyzer = frame.analyzer([*(_CALLED.get(label, label) for label in LABELS), "POSSIBLE_NAME"])

    def detect(self, texts: Sequence[str]) -> Iterator[list[Finding]]:
        """See Detector. Line breaks inside a text are read as spaces: numbers and names wrap."""
        others = self._second.detect(texts) if self._second else itertools.repeat([], len(texts))
        for text, found, other in zip(texts, self._network.find(texts), others, strict=True):
            named = [finding for f in found if (finding := _named(text, f)) is not None]
            artifacts = self._artifacts(text, [*named, *other])
            results = self._analyzer.analyze(text.replace("\n", " "), language=self._language, nlp_artifacts=artifacts)
            yield sift(text, [Finding(r.start, r.end, r.entity_type, r.score) for r in results])


def _named(text: str, found: Found) -> Finding | None:
    """A finding of the network, or nothing where it is not to be believed."""
    label = believable(text[found.start : found.end], found)
    return (
        None if label is None else Finding(found.start, found.end, _CALLED.get(label, label), min(_MOST, found.score))
    )
