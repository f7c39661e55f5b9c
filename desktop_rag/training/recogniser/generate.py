"""Labelled text from templates: letters, rulings, forms, chat and more in seven languages, none of it about anybody.

A template is one line: `{slot}` is filled, `{one|other}` by one of them, `<a|b>` is one of several ways to say it,
`\\n` is a line break, `<lt>` and `<gt>` are the signs themselves. What is filled in carries its label, the rest has
none. Every tenth template and every twelfth name is held out, so that the figures are taken on texts and names that
the training never showed.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from desktop_rag.training.recogniser import places
from desktop_rag.training.recogniser.slots import SLOTS
from desktop_rag.training.recogniser.source import Source
from desktop_rag.training.recogniser.values import LANGUAGES

UNKNOWN = "UNKNOWN"
"""The label of what may or may not be something: nothing is learned from it."""
_CHOICE = re.compile(r"<([^<>]*)>")
_SLOT = re.compile(r"\{([a-z_0-9|]+)\}")
_HELD_OUT = 10
_AMONG_WORDS = "person person first last titled city country org date street nrp job id phone".split()


@dataclass(frozen=True, slots=True)
class Template:
    """One line of a template file."""

    language: str
    genre: str
    text: str

    @property
    def held_out(self) -> bool:
        """Whether it serves the figures, not the training."""
        return zlib.crc32(f"{self.language} {self.text}".encode()) % _HELD_OUT == 0


@dataclass(slots=True)
class Example:
    """A text and its labelled spans (start, end, label), sorted and without overlaps."""

    language: str
    genre: str
    text: str = ""
    spans: list[tuple[int, int, str]] = field(default_factory=list)

    def put(self, piece: str, label: str | None = None) -> None:
        """Add a piece of text."""
        if label and piece.strip():
            self.spans.append((len(self.text), len(self.text) + len(piece), label))
        self.text += piece


def load_templates() -> list[Template]:
    """All templates of all languages."""
    found: list[Template] = []
    for language in LANGUAGES:
        genre = ""
        path = Path(__file__).parent / "templates" / f"{language}.txt"
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("# "):
                genre = line[2:]
            elif line:
                found.append(Template(language, genre, line))
    return found


class Writer:
    """Fills templates. The same source gives the same texts."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._rng = source.rng

    def write(self, template: Template) -> Example:
        """One text from a template."""
        example = Example(template.language, template.genre)
        text = template.text.replace("\\n", "\n").replace("<lt>", "‹").replace("<gt>", "›")
        chosen = _CHOICE.sub(lambda match: self._choice(match.group(1)), text)
        at = 0
        for match in _SLOT.finditer(chosen):
            example.put(chosen[at : match.start()])
            self._slot(self._rng.choice(match.group(1).split("|")), example)
            at = match.end()
        example.put(chosen[at:])
        example.text = example.text.replace("‹", "<").replace("›", ">")
        return example

    def mixed(self, language: str) -> Example:
        """Words in no order with values among them: what a name looks like, whatever stands around it."""
        example = Example(language, "mixed")
        self._salad(example)
        return example

    def _choice(self, inside: str) -> str:
        # A bar inside a slot chooses between slots.
        protected = _SLOT.sub(lambda m: m.group().replace("|", "\0"), inside)
        return self._rng.choice(protected.split("|")).replace("\0", "|")

    def _slot(self, name: str, example: Example) -> None:
        if name in SLOTS:
            label, filler = SLOTS[name]
            example.put(filler(self._source, example.language), label)
        elif name.startswith("titled"):
            self._titled(example, polish_case=name == "titled_c")
        elif name.startswith("address"):
            self._address(example, "\n" if name == "address_lines" else self._rng.choice((", ", ", ", ", ", "\n", " ")))
        elif name == "salad":
            self._salad(example)
        else:
            raise KeyError(name)

    def _titled(self, example: Example, *, polish_case: bool) -> None:
        self._slot("title_c" if polish_case else "title", example)
        example.put(" ")
        self._slot("person_c" if polish_case else "last" if self._rng.random() < 0.45 else "person", example)

    def _address(self, example: Example, between: str) -> None:
        """An address is one span with its town: it is replaced as a whole."""
        source = self._source
        if self._rng.random() < 0.35:
            example.put(places.whole_address(source, example.language).replace("\n", between), "STREET_ADDRESS")
            return
        where = source.abroad(example.language)
        parts = [places.street(source, where)]
        if self._rng.random() < 0.85:
            parts.append(places.town(source, where))
            if self._rng.random() < 0.2:
                parts.append(places.country(source, example.language))
        example.put(between.join(parts), "STREET_ADDRESS")

    def _salad(self, example: Example) -> None:
        for number in range(self._rng.randrange(1, 4)):
            example.put(" " if number else "")
            self._sentence(example)

    def _sentence(self, example: Example) -> None:
        source, language = self._source, example.language
        if self._rng.random() < 0.7:
            opening = source.phrase(language, 1, 5)
            example.put(opening[0].upper() + opening[1:] + " ")
        for _ in range(self._rng.randrange(0, 3)):
            self._slot(self._rng.choice(_AMONG_WORDS), example)
            example.put(f"{self._rng.choice((' ', ' ', ', ', ' - '))}{source.phrase(language, 1, 6)} ")
        example.put(source.phrase(language, 1, 4) + self._rng.choice("...!?"))
