"""Pages to chunks: the passages that are encoded, searched and cited.

Structure comes first (a heading opens a chunk, a page closes one, table rows keep their header),
then the token budget. The chunks of a document cover every non-white character exactly once; none
crosses a page. Pure: the tokenizer comes as an argument and is called in few large batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from desktop_rag.documents.chunk_context import contexts
from desktop_rag.documents.chunk_pieces import Measure, Piece, TokenCounter, pieces
from desktop_rag.documents.model import Page

CHUNKER_VERSION = "1"

TINY = 25
"""Tokens below which a chunk left over at the end of a section joins its neighbour."""
STRETCH = 1.25
"""How far over the budget such a union may go."""

_Draft = list[Piece]


@dataclass(frozen=True, slots=True)
class Chunk:
    """`pages[page].text[start:end]` and the section path ("Chapter > Section") in force before it."""

    page: int
    start: int
    end: int
    context: str


def chunk(
    pages: Sequence[Page], count_tokens: TokenCounter, *, budget: int = 200, context_budget: int = 40
) -> list[Chunk]:
    """Cut `pages` into chunks of at most `budget` tokens, in reading order.

    A leftover of fewer than 25 tokens joins its neighbour up to 1.25 times the budget. Only a single
    character, or one pseudonym such as `[PERSON_3]`, that is over the budget by itself stays so.
    """
    measure = Measure(count_tokens)
    drafts = list(_pack(pieces(pages, measure, budget - measure.base), budget - measure.base))
    drafts, counts = _fit(pages, drafts, measure, budget)
    drafts = _join_tiny(pages, drafts, counts, measure, budget)
    paths = contexts(drafts, measure, context_budget)
    return [
        Chunk(draft[0].page, draft[0].start, draft[-1].end, path) for draft, path in zip(drafts, paths, strict=True)
    ]


def _pack(parts: Sequence[Piece], limit: int) -> Iterator[_Draft]:
    draft: _Draft = []
    cost = 0
    for piece in parts:
        if draft and (cost + piece.cost > limit or _parted(draft, piece)):
            yield draft
            draft, cost = [], 0
        draft.append(piece)
        cost += piece.cost
    if draft:
        yield draft


def _parted(draft: _Draft, piece: Piece) -> bool:
    """Whether structure forbids `piece` to follow in the same chunk."""
    last = draft[-1]
    if piece.page != last.page:
        return True
    if piece.level:
        return not last.level
    return bool(piece.header and last.header and piece.header != last.header)


def _texts(pages: Sequence[Page], drafts: Sequence[_Draft]) -> list[str]:
    return [pages[draft[0].page].text[draft[0].start : draft[-1].end] for draft in drafts]


def _fit(pages: Sequence[Page], drafts: list[_Draft], measure: Measure, budget: int) -> tuple[list[_Draft], list[int]]:
    """Count the joined texts and halve those over the budget: costs of parts need not add up exactly."""
    counts = measure.sizes(_texts(pages, drafts))
    while any(count > budget and len(draft) > 1 for draft, count in zip(drafts, counts, strict=True)):
        halved: list[_Draft] = []
        known: list[int | None] = []
        for draft, count in zip(drafts, counts, strict=True):
            if count > budget and len(draft) > 1:
                middle = len(draft) // 2
                halved += [draft[:middle], draft[middle:]]
                known += [None, None]
            else:
                halved.append(draft)
                known.append(count)
        fresh = iter(measure.sizes(_texts(pages, [d for d, n in zip(halved, known, strict=True) if n is None])))
        drafts, counts = halved, [next(fresh) if number is None else number for number in known]
    return drafts, counts


def _join_tiny(
    pages: Sequence[Page], drafts: list[_Draft], counts: list[int], measure: Measure, budget: int
) -> list[_Draft]:
    """Join leftovers to a neighbour where the union, counted as one text, stays within the stretch."""
    pairs = [(index - 1, index) for index in range(1, len(drafts)) if _may_join(drafts, counts, index)]
    joined = measure.sizes(_texts(pages, [drafts[left] + drafts[right] for left, right in pairs]))
    stretch = budget * STRETCH
    fits = {right for (_, right), count in zip(pairs, joined, strict=True) if count <= stretch}
    result: list[_Draft] = []
    last_joined = -1
    for index, draft in enumerate(drafts):
        # One union at a time: its length was counted for these two alone.
        if index in fits and last_joined != index - 1:
            result[-1] = result[-1] + draft
            last_joined = index
        else:
            result.append(draft)
    return result


def _may_join(drafts: list[_Draft], counts: list[int], right: int) -> bool:
    """Whether the draft at `right` and the one before it are a leftover and its neighbour."""
    before, after = drafts[right - 1], drafts[right]
    if before[0].page != after[0].page or _headers_differ(before, after):
        return False
    if counts[right - 1] < TINY and not after[0].level:
        return True
    bare_heading = after[-1].level > 0 and (right + 1 == len(drafts) or drafts[right + 1][0].page != after[0].page)
    return counts[right] < TINY and (not after[0].level or bare_heading)


def _headers_differ(before: _Draft, after: _Draft) -> bool:
    return bool(before[-1].header and after[0].header and before[-1].header != after[0].header)
