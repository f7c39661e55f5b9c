"""Real sentences without personal data: the translated messages of some freely licensed packages, Python's manual.

The packages are not installed: their wheels are read as archives (see PACKAGES).

Words in no order teach what a name looks like, but not what ordinary language looks like. These sentences do, in all
seven languages. What might be a name in them after all is marked as unknown, and nothing is learned from it.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from pydoc_data.topics import topics
from random import Random
from zipfile import ZipFile

from desktop_rag.training.recogniser.generate import UNKNOWN, Example
from desktop_rag.training.recogniser.values import LANGUAGES

PACKAGES = ("django==5.2.19", "wagtail==8.0.1", "django-oscar==4.2.1", "indico==3.2.9")
"""Under BSD and MIT licences. `pip download --no-deps -d WHEELS` with these fetches what `sentences` reads."""
_CATALOGUE = re.compile(r"/([a-z]{2})(?:_[A-Z]{2})?/LC_MESSAGES/[^/]*\.mo$")
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{[^{}]*\}")
_WORD = re.compile(r"[^\W\d_]+")
_FEWEST_WORDS = 5


def sentences(wheels: Path, known: Mapping[str, Container[str]], rng: Random) -> dict[str, list[Example]]:
    """The sentences of every language; `known`: its words, in lower case, that may be names or carry a label."""
    texts: dict[str, set[str]] = {language: set() for language in LANGUAGES}
    # Python's own manual.
    texts["en"].update(part for topic in topics.values() for part in topic.split("\n\n") if "  " not in part.strip())
    for language, data in _catalogues(wheels):
        for source, translation in _messages(data):
            texts["en"].add(source)
            texts[language].add(translation)
    return {
        language: [_example(language, text, known[language], rng) for text in sorted(found) if _usable(text)]
        for language, found in texts.items()
    }


def _catalogues(wheels: Path) -> Iterator[tuple[str, bytes]]:
    """Every message catalogue in the wheels, with its language."""
    for wheel in sorted(wheels.glob("*.whl")):
        with ZipFile(wheel) as archive:
            for name in sorted(archive.namelist()):
                match = _CATALOGUE.search(name)
                if match and match.group(1) in LANGUAGES:
                    yield match.group(1), archive.read(name)


def _messages(data: bytes) -> Iterator[tuple[str, str]]:
    """The pairs of a GNU message catalogue in little-endian order; singular forms only."""
    magic, _, count, originals, translations = struct.unpack_from("<5I", data)
    if magic != 0x950412DE:
        return
    for number in range(count):
        pair = []
        for table in (originals, translations):
            length, offset = struct.unpack_from("<2I", data, table + 8 * number)
            pair.append(data[offset : offset + length].decode("utf-8", "replace").split("\0")[0].split("\4")[-1])
        if pair[0]:
            yield pair[0], pair[1]


def _usable(text: str) -> bool:
    return "<" not in text and "http" not in text and len(_WORD.findall(text)) >= _FEWEST_WORDS and len(text) < 1500


def _example(language: str, text: str, known: Container[str], rng: Random) -> Example:
    example = Example(language, "prose", _PLACEHOLDER.sub(lambda _: str(rng.randrange(1, 200)), text))
    for match in _WORD.finditer(example.text):
        familiar = len(match.group()) > 3 and match.group().lower() in known
        if familiar or (language != "de" and _capital_inside(example.text, match.start())):
            example.spans.append((match.start(), match.end(), UNKNOWN))
    return example


def _capital_inside(text: str, start: int) -> bool:
    """Whether a capital letter stands where no sentence begins."""
    before = text[:start].rstrip()
    return text[start].isupper() and bool(before) and before[-1] not in ".!?:\"'“"
