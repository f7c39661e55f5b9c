"""Which texts the recogniser is trained on, and which it is measured on."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from pathlib import Path
from random import Random

from desktop_rag.training.recogniser.generate import Example, Template, Writer, load_templates
from desktop_rag.training.recogniser.noise import joined, noisy
from desktop_rag.training.recogniser.prose import sentences
from desktop_rag.training.recogniser.source import Source
from desktop_rag.training.recogniser.speeches import retold, speeches
from desktop_rag.training.recogniser.values import LANGUAGES, known_words, load_pools

_SHARE = {"en": 0.34, "es": 0.13, "pl": 0.15, "de": 0.11, "fr": 0.1, "it": 0.09, "nl": 0.08}
_MIXED = 0.12
_PROSE = 0.2
_SPEECH = 0.15
_JOINED = 0.3
_HELD_OUT_EACH = 30


def training_texts(count: int, seed: int, wheels: Path, spacy_model: Path) -> Iterator[Example]:
    """Generated texts of all languages; from the `wheels` ordinary sentences and speeches (see `prose`, `speeches`)."""
    rng = Random(seed)
    pools = load_pools(seed, held_out=False)
    source = Source(pools, rng)
    writer = Writer(source)
    prose = sentences(wheels, {language: known_words(pools, language) for language in LANGUAGES}, rng)
    spoken = speeches(wheels, spacy_model)
    templates = {name: [t for t in load_templates() if t.language == name and not t.held_out] for name in LANGUAGES}
    for _ in range(count):
        language = rng.choices(list(_SHARE), list(_SHARE.values()))[0]
        if language == "en" and rng.random() < _SPEECH:
            yield noisy(retold(rng.choice(spoken), source), rng)
            continue
        example = _one(writer, templates[language], prose[language], rng)
        while rng.random() < _JOINED:
            example = joined(example, _one(writer, templates[language], prose[language], rng), rng)
        yield example


def _one(writer: Writer, templates: list[Template], prose: list[Example], rng: Random) -> Example:
    kind = rng.random()
    if kind < _MIXED:
        return noisy(writer.mixed(templates[0].language), rng)
    if prose and kind < _MIXED + _PROSE:
        return noisy(copy(rng.choice(prose)), rng)
    return noisy(writer.write(rng.choice(templates)), rng)


def held_out_texts(seed: int) -> list[Example]:
    """Texts from templates that the training does not use, filled with names it does not use."""
    rng = Random(seed + 1)
    writer = Writer(Source(load_pools(seed + 1, held_out=True), rng))
    templates = [template for template in load_templates() if template.held_out]
    return [noisy(writer.write(template), rng) for template in templates for _ in range(_HELD_OUT_EACH)]
