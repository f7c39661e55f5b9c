"""Finding personal data: Presidio over spaCy, made local, and its findings made consistent.

Findings come back as code point spans of the text given in, without overlaps.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from desktop_rag.errors import ModelError
from desktop_rag.privacy.classes import replaced_by_default

SCRUBBER_VERSION = "1"
THRESHOLD = 0.35
_TITLE = r"(?:Mr|Mrs|Ms|Miss|Dr|Prof|Herr|Frau|Mme|Madame|Monsieur|Señor|Señora|Sr|Sra)\.?"
_TITLED = re.compile(rf"\b{_TITLE}[ \u00a0](?P<name>[A-ZÀ-Þ][\w'’-]*\.?(?:[ \u00a0][A-ZÀ-Þ][\w'’-]+){{0,2}})")
_ADDRESS = re.compile(r"[\w.+%-]+@[^\W_](?:[\w-]*[^\W_])?(?:\.[^\W_](?:[\w-]*[^\W_])?)+")
_EDGE = " \t\n\r.,;:!?\"'()[]{}<>“”‘’«»*_|/\\-–—"
_POSSESSIVE = re.compile(r"['’]s?$")
# spaCy's small model calls many defined terms and headings a person; a name has no digit and starts with a capital.
_NOT_A_NAME = re.compile(r"\d|[@#$%&=+<>{}|\\/]|^[^\W\d_]$|^[a-zà-ÿ]")


@dataclass(frozen=True, slots=True)
class Finding:
    """`text[start:end]` looks like personal data of class `label`; `score` in 0..1."""

    start: int
    end: int
    label: str
    score: float


class Detector(Protocol):
    """Anything that finds personal data in texts."""

    def detect(self, texts: Sequence[str]) -> Iterator[list[Finding]]:
        """One list of findings per text, in order, sorted and without overlaps."""
        ...


class PresidioDetector:
    """Presidio's recognisers with a spaCy model read from a local folder.

    Not thread-safe. Raises ModelError("not_installed") when the folder is missing.
    """

    def __init__(self, spacy_model: Path) -> None:
        if not (spacy_model / "config.cfg").is_file():
            raise ModelError(
                "not_installed", "The model that finds personal data is not installed.", "Run the set-up again."
            )
        self._analyzer = _build_analyzer(spacy_model)

    def detect(self, texts: Sequence[str]) -> Iterator[list[Finding]]:
        """See Detector. Line breaks inside a text are read as spaces: names wrap."""
        flat = [text.replace("\n", " ") for text in texts]
        artifacts = self._analyzer.nlp_engine.process_batch(flat, language="en", batch_size=8)
        for text, (_, artifact) in zip(flat, artifacts, strict=True):
            results = self._analyzer.analyze(text, language="en", nlp_artifacts=artifact, score_threshold=THRESHOLD)
            yield clean(text, [Finding(r.start, r.end, r.entity_type, r.score) for r in results])


def clean(text: str, findings: Iterable[Finding]) -> list[Finding]:
    """Trim edges, drop what cannot be a name, add names after titles, and let the surer finding win an overlap."""
    found = [trimmed for finding in findings if (trimmed := _trim(text, finding)) is not None]
    # Presidio wants a registered top-level domain; an address at an unknown one is an address all the same.
    found += [Finding(m.start(), m.end(), "EMAIL_ADDRESS", 0.95) for m in _ADDRESS.finditer(text)]
    found += [Finding(m.start("name"), m.end("name"), "PERSON", 0.9) for m in _TITLED.finditer(text)]
    found = [t for f in found if (t := _trim(text, f)) is not None]
    # What will be replaced goes before what is kept, else a date could shelter a phone number.
    found.sort(key=lambda f: (not replaced_by_default(f.label), -f.score, f.start - f.end, f.start))
    kept: list[Finding] = []
    for finding in found:
        if all(finding.end <= other.start or finding.start >= other.end for other in kept):
            kept.append(finding)
    return sorted(kept, key=lambda f: f.start)


def _trim(text: str, finding: Finding) -> Finding | None:
    start, end = finding.start, finding.end
    # Phone numbers may begin with a bracket, names do not.
    opening = "" if finding.label == "PERSON" else "([+"
    while start < end and text[start] in _EDGE and text[start] not in opening:
        start += 1
    while end > start and text[end - 1] in _EDGE:
        end -= 1
    if finding.label == "PERSON":
        possessive = _POSSESSIVE.search(text[start:end])
        end -= len(possessive.group()) if possessive else 0
        if _NOT_A_NAME.search(text[start:end]):
            return None
    return Finding(start, end, finding.label, finding.score) if end > start else None


def _build_analyzer(spacy_model: Path) -> Any:
    """Import Presidio here: it brings spaCy, which only the library process may hold."""
    import tldextract
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

    # Presidio's e-mail recogniser would fetch the public suffix list; the packaged snapshot does.
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    configuration = NerModelConfiguration(
        model_to_presidio_entity_mapping={
            "PERSON": "PERSON",
            "NORP": "NRP",
            "FAC": "LOCATION",
            "LOC": "LOCATION",
            "GPE": "LOCATION",
            "ORG": "ORGANIZATION",
            "DATE": "DATE_TIME",
            "TIME": "DATE_TIME",
        },
        labels_to_ignore=[
            *(
                "CARDINAL",
                "EVENT",
                "LANGUAGE",
                "LAW",
                "MONEY",
                "ORDINAL",
                "PERCENT",
                "PRODUCT",
                "QUANTITY",
                "WORK_OF_ART",
            ),
        ],
    )
    engine = SpacyNlpEngine([{"lang_code": "en", "model_name": str(spacy_model)}], configuration)
    engine.load()
    return AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
