"""Presidio's analyser, filled with what finds personal data here. Importing this brings Presidio and spaCy.

Presidio asks an "NLP engine" about a text and hands the answer to its recognisers. Here the answer is made before it
asks: the findings of the application's network, which knows seven languages. All recognisers stand under one language,
for none of them needs to be told which it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import tldextract
from presidio_analyzer import (
    AnalyzerEngine,
    EntityRecognizer,
    RecognizerRegistry,
    RecognizerResult,
    predefined_recognizers,
)
from presidio_analyzer.context_aware_enhancers import ContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

from desktop_rag.privacy.finding import Finding
from desktop_rag.privacy.patterns.find import find as find_patterns

LANGUAGE = "any"
THRESHOLD = 0.4
# Presidio's own recognisers whose findings need no context: a checksum or an unmistakable shape proves them.
_PRESIDIO = ("CreditCard", "Crypto", "Email", "Iban", "Ip", "Url", "MacAddress", "Nhs")


class Artifacts(NlpArtifacts):
    """What the network found in a text, in the form in which Presidio carries it about."""

    def __init__(self, text: str, named: Sequence[Finding]) -> None:
        super().__init__([], [], [], [], None, LANGUAGE)  # type: ignore[arg-type]
        self.text = text
        self.named = named


class _Named(EntityRecognizer):
    """The network's findings."""

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__(list(labels), "Network", LANGUAGE)

    def load(self) -> None:
        """Nothing: the network runs before."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts) -> list[RecognizerResult]:
        """See EntityRecognizer."""
        return _results(nlp_artifacts.named) if isinstance(nlp_artifacts, Artifacts) else []


class _Shaped(EntityRecognizer):
    """What is found by shape, checksum and the words before it."""

    def __init__(self) -> None:
        super().__init__(["RECORD_NUMBER"], "Patterns", LANGUAGE)

    def load(self) -> None:
        """Nothing: the patterns are there."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts) -> list[RecognizerResult]:
        """See EntityRecognizer. Lines matter here, so the text is taken as it is."""
        return _results(find_patterns(nlp_artifacts.text if isinstance(nlp_artifacts, Artifacts) else text))


class _NoEngine(NlpEngine):
    """Presidio wants an engine; it is never asked, for every text comes with its artifacts."""

    def load(self) -> None:
        """Nothing to load."""

    def is_loaded(self) -> bool:
        """Always."""
        return True

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        """Never without artifacts: a text nobody looked at must not pass as one in which nothing was found."""
        raise AssertionError("a text without artifacts")

    def process_batch(
        self, texts: Iterable[str], language: str, batch_size: int = 1, n_process: int = 1, **_: Any
    ) -> Iterator[tuple[str, NlpArtifacts]]:
        """See process_text."""
        raise AssertionError("a text without artifacts")

    def is_stopword(self, word: str, language: str) -> bool:
        """Not known here."""
        return False

    def is_punct(self, word: str, language: str) -> bool:
        """Not known here."""
        return False

    def get_supported_entities(self) -> list[str]:
        """None of its own."""
        return []

    def get_supported_languages(self) -> list[str]:
        """The one that stands for all."""
        return [LANGUAGE]


class _NoContext(ContextAwareEnhancer):
    """The patterns look at the words around a value themselves, in one pass."""

    def __init__(self) -> None:
        super().__init__(0.0, 0.0, 0, 0)

    def enhance_using_context(
        self, text: str, raw_results: list[RecognizerResult], *_: Any, **__: Any
    ) -> list[RecognizerResult]:
        """The results as they are."""
        return raw_results


def analyzer(labels: Sequence[str]) -> AnalyzerEngine:
    """Presidio's analyser for texts that come with artifacts whose findings have these labels."""
    # Presidio's e-mail recogniser would fetch the public suffix list; the packaged snapshot does.
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    own = [getattr(predefined_recognizers, f"{name}Recognizer")(supported_language=LANGUAGE) for name in _PRESIDIO]
    registry = RecognizerRegistry(recognizers=[*own, _Shaped(), _Named(labels)], supported_languages=[LANGUAGE])
    return AnalyzerEngine(
        registry=registry,
        nlp_engine=_NoEngine(),
        supported_languages=[LANGUAGE],
        default_score_threshold=THRESHOLD,
        context_aware_enhancer=_NoContext(),
    )


def _results(findings: Iterable[Finding]) -> list[RecognizerResult]:
    return [RecognizerResult(f.label, f.start, f.end, f.score) for f in findings]
