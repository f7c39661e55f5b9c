"""Two finders of personal data, side by side: the application's own, and Presidio as it comes.

The own one does what happens to a document of that text: segment by segment, then every name looked for everywhere.
All it finds counts, for all of it is shown in the review; `replace` tells what is replaced without anybody deciding.
The other one is `AnalyzerEngine()` in its default configuration with the same spaCy model, for which nothing is
downloaded; for a language without a model, the recognisers by pattern that it has for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from desktop_rag.documents.model import Block, Page
from desktop_rag.documents.paragraphs import paragraphs
from desktop_rag.privacy.classes import replaced_by_default
from desktop_rag.privacy.finding import Detector, Finding
from desktop_rag.privacy.findings import complete, find_in_page

Spans = list[dict[str, Any]]
Find = Callable[[str], Spans]


def own_finder(detector: Detector) -> Find:
    """What the application finds in a document of this text."""

    def find(text: str) -> Spans:
        page = Page(None, None, text, tuple(Block("paragraph", start, end) for start, end in paragraphs(text)))
        found = [finding for part in find_in_page(page, detector) for finding in part]
        (findings,) = _result(complete([page], [found], None))
        return [{**asdict(f), "replace": replaced_by_default(f.label)} for f in findings]

    return find


def _result(steps: Generator[None, None, list[list[Finding]]]) -> list[list[Finding]]:
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return list(stop.value)


def stock_finder(spacy_model: Path) -> Callable[[str, str], Spans]:
    """What Presidio as it comes finds in a text of a language."""
    analyzer = cache(lambda language: _stock_analyzer(spacy_model, language))

    def find(text: str, language: str) -> Spans:
        results = analyzer(language).analyze(text, language=language)
        return [{"start": r.start, "end": r.end, "label": r.entity_type, "score": r.score} for r in results]

    return find


def _stock_analyzer(spacy_model: Path, language: str) -> Any:
    import spacy
    import tldextract
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider, SpacyNlpEngine

    # Its e-mail recogniser would fetch the public suffix list; the packaged snapshot serves as well.
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    if language == "en":
        provider = NlpEngineProvider()
        provider.nlp_configuration["models"] = [{"lang_code": "en", "model_name": str(spacy_model)}]
        return AnalyzerEngine(nlp_engine=provider.create_engine())
    engine: Any = SpacyNlpEngine([{"lang_code": language, "model_name": ""}])
    engine.nlp = {language: spacy.blank(language)}
    return AnalyzerEngine(nlp_engine=engine, supported_languages=[language])


def find_both(
    rows: Sequence[Mapping[str, Any]], own: Find, stock: Callable[[str, str], Spans]
) -> Iterator[dict[str, Any]]:
    """Per row {id, spans, stock_spans, seconds, stock_seconds}; the two take turns in going first.

    Each language's finders are used once before they are timed.
    """
    for language in {str(row["language"]) for row in rows}:
        own("A text.")
        stock("A text.", language)
    for number, row in enumerate(rows):
        text, language = str(row["text"]), str(row["language"])
        if number % 2:
            spans, seconds = _timed(own, text)
            stock_spans, stock_seconds = _timed(stock, text, language)
        else:
            stock_spans, stock_seconds = _timed(stock, text, language)
            spans, seconds = _timed(own, text)
        yield {
            "id": row["id"],
            "spans": spans,
            "stock_spans": stock_spans,
            "seconds": seconds,
            "stock_seconds": stock_seconds,
        }


def _timed(find: Callable[..., Spans], *arguments: str) -> tuple[Spans, float]:
    began = time.perf_counter()
    spans = find(*arguments)
    return spans, time.perf_counter() - began
