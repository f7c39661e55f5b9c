"""The smallest parts a chunk is made of, each measured in tokens and none over the budget.

A block is a piece as long as it fits; a longer one is taken apart at sentence ends, then at
white space (runs of words before single words, to keep the number of pieces low), at worst at
any character, but never inside a pseudonym such as `[PERSON_3]`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from desktop_rag.documents.model import Block, Page
from desktop_rag.documents.paragraphs import paragraphs, strip_span
from desktop_rag.documents.sentences import sentences

TokenCounter = Callable[[Sequence[str]], Sequence[int]]

_BATCH = 4096
# A tokenizer may call a word of any length one unknown token; no chunk may grow on that account.
_CHARS_PER_TOKEN = 10
_RUN_OF_WORDS = 16
# What Markdown puts around a heading; its text is the file's own.
_MARKS = re.compile(r"^#{1,6}\s+|\s+(?:#+|=+|-+)$")
_WORD = re.compile(r"\S+")
_PSEUDONYM = re.compile(r"\[[A-Z_]+_\d+\]")
_ATOM = re.compile(rf"{_PSEUDONYM.pattern}|(?s:.)")


@dataclass(frozen=True, slots=True)
class Piece:
    """`text[start:end]` of one page, its additive cost in tokens, and the structure it carries.

    `level` is above 0 on the first piece of a heading only, whose words are then in `title`.
    """

    page: int
    start: int
    end: int
    cost: int
    level: int = 0
    title: str = ""
    header: str = ""


class Measure:
    """Counts tokens in large batches; `cost` of a text leaves out what a tokenizer adds to every call."""

    def __init__(self, count_tokens: TokenCounter) -> None:
        self._count_tokens = count_tokens
        self.base = self.counts([""])[0]

    def counts(self, texts: Sequence[str]) -> list[int]:
        """The tokenizer's own number for each text."""
        found: list[int] = []
        for at in range(0, len(texts), _BATCH):
            found.extend(self._count_tokens(texts[at : at + _BATCH]))
        return found

    def sizes(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens that counts against the budget: at least one per ten characters."""
        return [
            max(count, -(-len(text) // _CHARS_PER_TOKEN)) for count, text in zip(self.counts(texts), texts, strict=True)
        ]

    def costs(self, texts: Sequence[str]) -> list[int]:
        """What each text adds to a chunk: its size without what the tokenizer adds to every call."""
        return [max(size - self.base, 1) for size in self.sizes(texts)]


def pieces(pages: Sequence[Page], measure: Measure, limit: int) -> list[Piece]:
    """Every non-white character of `pages` in ordered pieces of at most `limit` tokens where that is possible."""
    found = [piece for number, page in enumerate(pages) for piece in _blocks(number, page)]
    found = _costed(pages, found, measure)
    for split in (sentences, _word_runs, _words, _slices, _atoms):
        if all(piece.cost <= limit for piece in found):
            break
        found = _split(pages, found, split, measure, limit)
    return found


def _blocks(number: int, page: Page) -> Iterator[Piece]:
    """The page's blocks, with paragraphs for whatever text lies outside of them."""
    at = 0
    pseudonyms = {place for match in _PSEUDONYM.finditer(page.text) for place in range(*match.span())[1:]}
    for block in (*page.blocks, Block("paragraph", len(page.text), len(page.text))):
        first, last = max(at, block.start), max(at, block.end)
        # A name that ran across two blocks became one pseudonym: it belongs to the first of them.
        while first in pseudonyms:
            first += 1
        while last in pseudonyms:
            last += 1
        for start, end in paragraphs(page.text, at, first):
            yield Piece(number, start, end, 0)
        start, end = strip_span(page.text, first, last)
        at = max(first, last)
        if start >= end:
            continue
        if block.kind == "heading":
            title = _MARKS.sub("", " ".join(page.text[start:end][:400].split()))
            yield Piece(number, start, end, 0, max(1, block.level), title)
        else:
            yield Piece(number, start, end, 0, header=block.header)


def _costed(pages: Sequence[Page], found: Sequence[Piece], measure: Measure) -> list[Piece]:
    costs = measure.costs([pages[p.page].text[p.start : p.end] for p in found])
    return [
        Piece(p.page, p.start, p.end, cost, p.level, p.title, p.header) for p, cost in zip(found, costs, strict=True)
    ]


def _split(
    pages: Sequence[Page],
    found: Sequence[Piece],
    split: Callable[[str], list[tuple[int, int]]],
    measure: Measure,
    limit: int,
) -> list[Piece]:
    """Replace each piece over `limit` by the parts `split` finds in it; all new parts are measured together."""
    parts: dict[int, list[Piece]] = {}
    for index, whole in enumerate(found):
        if whole.cost > limit:
            text = pages[whole.page].text[whole.start : whole.end]
            parts[index] = [_part(whole, start, end) for start, end in split(text)]
    fresh = iter(_costed(pages, [part for group in parts.values() for part in group], measure))
    replaced: list[Piece] = []
    for index, whole in enumerate(found):
        replaced.extend(next(fresh) for _ in parts[index]) if index in parts else replaced.append(whole)
    return replaced


def _part(whole: Piece, start: int, end: int) -> Piece:
    level, title = (whole.level, whole.title) if start == 0 else (0, "")
    return Piece(whole.page, whole.start + start, whole.start + end, 0, level, title, whole.header)


def _words(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _WORD.finditer(text)]


def _word_runs(text: str) -> list[tuple[int, int]]:
    words = _words(text)
    runs = [words[at : at + _RUN_OF_WORDS] for at in range(0, len(words), _RUN_OF_WORDS)]
    return [(run[0][0], run[-1][1]) for run in runs]


def _atoms(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _ATOM.finditer(text)]


def _slices(text: str) -> list[tuple[int, int]]:
    """A word without spaces in slices of about 32 characters, cut between atoms."""
    spans: list[tuple[int, int]] = []
    for start, end in _atoms(text):
        if spans and end - spans[-1][0] <= 32:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans
