"""Makes the pieces of a text fit the token budget.

A piece stays whole as long as it fits; a longer one is taken apart where that hurts least: a row between its cells,
text at sentence ends, then at line ends, then at white space (runs of words before single words, to keep the number
of pieces low), at worst at any character, but never inside a pseudonym such as `[PERSON_3]`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from desktop_rag.documents.chunk_pieces import PSEUDONYM, Piece, beginning
from desktop_rag.documents.model import Page
from desktop_rag.documents.paragraphs import strip_span
from desktop_rag.documents.sentences import sentences

TokenCounter = Callable[[Sequence[str]], Sequence[int]]
_Spans = list[tuple[int, int]]

_BATCH = 4096
# A tokenizer may call a word of any length one unknown token; no chunk may grow on that account.
_CHARS_PER_TOKEN = 10
_RUN_OF_WORDS = 16
_CHARS_OF_CELLS = 120
_LONGEST_ROW_LEAD = 60
_LONGEST_PSEUDONYM = 100
_WORD = re.compile(r"\S+")
_LINE = re.compile(r"[^\r\n]+")
_CELL_END = re.compile(r"(?:;|\s\|)\s+")
_ATOM = re.compile(rf"{PSEUDONYM.pattern}|(?s:.)")
# Text without any end in sight is cut at the last of these within its stretch.
_SLAB_ENDS = (re.compile(r"(?s).*\n"), re.compile(r"(?s).*[.!?。！？]\s"), re.compile(r"(?s).*\s"))


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

    def costs(self, texts: Sequence[str], limit: int) -> list[int]:
        """What each text adds to a chunk: its size without what the tokenizer adds to every call.

        Texts that are over `limit` by their length alone are not counted: they only have to be split.
        """
        least = [-(-len(text) // _CHARS_PER_TOKEN) - self.base for text in texts]
        counted = iter(self.sizes([text for text, cost in zip(texts, least, strict=True) if cost <= limit]))
        return [cost if cost > limit else max(next(counted) - self.base, 1) for cost in least]


def slabs(pages: Sequence[Page], pieces: Iterable[Piece], longest: int) -> Iterator[Piece]:
    """The pieces, those of more than `longest` characters cut roughly: no step of work may grow with a file."""
    for piece in pieces:
        if piece.end - piece.start <= longest:
            yield piece
            continue
        text, at = pages[piece.page].text, piece.start
        while at < piece.end:
            cut = _slab_end(text, at, at + longest) if piece.end - at > longest else piece.end
            start, end = strip_span(text, at, cut)
            if start < end:
                yield _part(text, piece, start, end)
            at = cut


def fitted(pages: Sequence[Page], found: Sequence[Piece], measure: Measure, limit: int) -> list[Piece]:
    """The pieces with their costs, each of at most `limit` tokens where that is possible."""
    pieces = _costed(pages, found, measure, limit)
    for split in (_cells, sentences, _lines, _word_runs, _words, _slices, _atoms):
        if all(piece.cost <= limit for piece in pieces):
            break
        pieces = _split(pages, pieces, split, measure, limit)
    return pieces


def _costed(pages: Sequence[Page], found: Sequence[Piece], measure: Measure, limit: int) -> list[Piece]:
    costs = measure.costs([pages[p.page].text[p.start : p.end] for p in found], limit)
    return [replace(piece, cost=cost) for piece, cost in zip(found, costs, strict=True)]


def _split(
    pages: Sequence[Page], found: Sequence[Piece], split: Callable[[str], _Spans], measure: Measure, limit: int
) -> list[Piece]:
    """Replace each piece over `limit` by the parts `split` finds in it; all new parts are measured together."""
    parts: dict[int, list[Piece]] = {}
    for index, whole in enumerate(found):
        if whole.cost > limit and _suits(split, whole):
            text = pages[whole.page].text
            spans = split(text[whole.start : whole.end])
            if len(spans) > 1:
                parts[index] = [_part(text, whole, whole.start + start, whole.start + end) for start, end in spans]
    fresh = iter(_costed(pages, [part for group in parts.values() for part in group], measure, limit))
    replaced: list[Piece] = []
    for index, whole in enumerate(found):
        replaced.extend(next(fresh) for _ in parts[index]) if index in parts else replaced.append(whole)
    return replaced


def _suits(split: Callable[[str], _Spans], piece: Piece) -> bool:
    if split is _cells:
        return piece.kind == "row"
    return split is not sentences or piece.kind != "code"


def _part(text: str, whole: Piece, start: int, end: int) -> Piece:
    """A part of a piece; of a row it says in its lead which row that is."""
    if start == whole.start:
        # A row that is cut anyway had better not begin far down in a chunk.
        return replace(whole, end=end, opens=whole.opens or (whole.kind == "row" and not whole.lead))
    lead = whole.lead
    if whole.kind == "row" and not lead:
        lead = beginning(text[whole.start : whole.end], _LONGEST_ROW_LEAD)
    return replace(whole, start=start, end=end, level=0, title="", lead=lead, opens=False, gap=False)


def _slab_end(text: str, start: int, end: int) -> int:
    half = (start + end) // 2
    for pattern in _SLAB_ENDS:
        if found := pattern.match(text, half, end):
            return found.end()
    inside = next(
        (m for m in PSEUDONYM.finditer(text, max(half, end - 100), end + 100) if m.start() < end < m.end()), None
    )
    return inside.start() if inside else end


def _cells(text: str) -> _Spans:
    """A row between its cells, several short ones together."""
    spans: _Spans = []
    at = 0
    for stop in (*(match.end() for match in _CELL_END.finditer(text)), len(text)):
        start, end = strip_span(text, at, stop)
        if spans and end - spans[-1][0] <= _CHARS_OF_CELLS:
            spans[-1] = (spans[-1][0], end)
        elif start < end:
            spans.append((start, end))
        at = stop
    return spans


def _lines(text: str) -> _Spans:
    spans = (strip_span(text, *match.span()) for match in _LINE.finditer(text))
    return [(start, end) for start, end in spans if start < end]


def _words(text: str) -> _Spans:
    return [match.span() for match in _WORD.finditer(text)]


def _word_runs(text: str) -> _Spans:
    words = _words(text)
    runs = [words[at : at + _RUN_OF_WORDS] for at in range(0, len(words), _RUN_OF_WORDS)]
    return [(run[0][0], run[-1][1]) for run in runs]


def _atoms(text: str) -> _Spans:
    return [match.span() for match in _ATOM.finditer(text)]


def _slices(text: str) -> _Spans:
    """A word without spaces in slices of about 32 characters, cut between atoms."""
    spans: _Spans = []
    for start, end in _atoms(text):
        if spans and end - spans[-1][0] <= 32:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans
