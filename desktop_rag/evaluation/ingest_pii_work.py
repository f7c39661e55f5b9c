"""How fast personal data is found: the application's finder, Presidio as it comes, and spaCy's names alone.

All of it happens in the process that calls, on reports made for the occasion: no text is seen twice. What takes part
is processor time, which does not count what others do to the machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Any

from desktop_rag.evaluation.ingest_text import Labelled, labelled_paragraph
from desktop_rag.evaluation.pii_finders import Find
from desktop_rag.evaluation.pii_score import Row, same_class, score

_SENTENCES = 8
# What the made-up reports say of everybody, and both finders look for.
_COMPARED = ("PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER")


def reports(characters: int, seed: int) -> list[Labelled]:
    """Paragraphs of about this many characters in all, with what is to be found in them."""
    chance, found, length = Random(seed), [], 0
    while length < characters:
        found.append(labelled_paragraph(chance, _SENTENCES))
        length += len(found[-1].text)
    return found


def timed(find: Find, texts: Iterable[Labelled]) -> dict[str, Any]:
    """{cpu_s, seconds, f1}: what finding took, and how well people, mail and telephones were found."""
    texts = list(texts)
    cpu, begun = time.process_time(), time.perf_counter()
    found = [find(one.text) for one in texts]
    took = {"cpu_s": time.process_time() - cpu, "seconds": time.perf_counter() - begun}
    rows = (
        Row(one.spans, [span for span in spans if same_class(span["label"]) in _COMPARED])
        for one, spans in zip(texts, found, strict=True)
    )
    return {**took, "f1": score(rows)["overall"]["f1"]}


def compared(ways: dict[str, Find], characters: int, seed: int, *, reverse: bool) -> dict[str, Any]:
    """What each way took for the same new texts, one after the other, and how many characters there were."""
    texts = reports(characters, seed)
    told: dict[str, Any] = {"characters": sum(len(one.text) for one in texts)}
    for name in reversed(ways) if reverse else ways:
        told[name] = timed(ways[name], texts)
    return told


def lengths(find: Find, characters: int, seed: int) -> dict[str, float]:
    """{short, long}: processor seconds for one page of so many characters, and for one ten times as long."""
    return {name: _one_page(find, size, seed) for name, size in (("short", characters), ("long", 10 * characters))}


def _one_page(find: Find, characters: int, seed: int) -> float:
    text = "\n\n".join(one.text for one in reports(characters, seed))[:characters]
    begun = time.process_time()
    find(text)
    return time.process_time() - begun


def names_alone(spacy_model: Path) -> Callable[[str], list[dict[str, Any]]]:
    """spaCy with nothing but what its names need: as fast as anything built upon it can be."""
    import spacy

    nlp = spacy.load(spacy_model, exclude=["parser", "senter", "tagger", "attribute_ruler", "lemmatizer"])

    def find(text: str) -> list[dict[str, Any]]:
        return [{"start": e.start_char, "end": e.end_char, "label": e.label_, "score": 0.85} for e in nlp(text).ents]

    return find
