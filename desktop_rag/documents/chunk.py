"""Pages to chunks: the passages that are encoded, searched and cited.

Structure comes first (a heading opens a chunk, a page closes one, table rows keep their header, a list the line that
introduces it), then the token budget. The chunks of a document cover every non-white character exactly once, but for
passages that stood in it before; none crosses a page. Pure: the tokenizer comes as an argument and is called in few
large batches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from desktop_rag.documents.chunk_context import Sections, contexts, depths
from desktop_rag.documents.chunk_pieces import Piece, outline
from desktop_rag.documents.chunk_split import Measure, TokenCounter, fitted, slabs
from desktop_rag.documents.model import Page
from desktop_rag.documents.repeats import Repeats

CHUNKER_VERSION = "2"

TINY = 25
"""Tokens below which a chunk left over at the end of a section joins its neighbour."""
STRETCH = 1.25
"""How far over the budget such a union may go."""
_STEP_CHARS = 6000

_Draft = list[Piece]


@dataclass(frozen=True, slots=True)
class Chunk:
    """`pages[page].text[start:end]` and what it stands under ("Chapter > Section")."""

    page: int
    start: int
    end: int
    context: str


def chunk(
    pages: Sequence[Page],
    count_tokens: TokenCounter,
    *,
    budget: int = 200,
    context_budget: int = 40,
    apart: bool = False,
) -> list[Chunk]:
    """Cut `pages` into chunks of at most `budget` tokens, in reading order; see `chunks_in_steps`."""
    steps = chunks_in_steps(pages, count_tokens, budget=budget, context_budget=context_budget, apart=apart)
    return [found for step in steps for found in step]


def chunks_in_steps(
    pages: Sequence[Page],
    count_tokens: TokenCounter,
    *,
    budget: int = 200,
    context_budget: int = 40,
    apart: bool = False,
) -> Iterator[list[Chunk]]:
    """The chunks of at most `budget` tokens, in reading order, those of some 6000 characters at a time.

    A leftover of fewer than 25 tokens joins its neighbour up to 1.25 times the budget. Only a single
    character, or one pseudonym such as `[PERSON_3]`, that is over the budget by itself stays so. Where pages are
    `apart`, as slides are, a heading holds for its own page alone.
    """
    measure = Measure(count_tokens)
    limit = budget - measure.base
    sections, repeats = Sections(apart=apart), Repeats()
    for part in _parts(slabs(pages, outline(pages), _STEP_CHARS)):
        drafts = list(_pack(fitted(pages, repeats.without(pages, part), measure, limit), limit))
        drafts, counts = _fit(pages, drafts, measure, budget)
        drafts = _join_tiny(pages, drafts, counts, measure, budget, sections)
        paths = contexts(drafts, measure, context_budget, sections)
        yield [
            Chunk(draft[0].page, draft[0].start, draft[-1].end, path) for draft, path in zip(drafts, paths, strict=True)
        ]


def _parts(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Pieces for one step each, parted at a page or a heading if there is one."""
    part: list[Piece] = []
    length = 0
    for piece in pieces:
        begins = part and (piece.page != part[-1].page or (piece.level and not part[-1].level))
        if length >= 2 * _STEP_CHARS or (begins and length >= _STEP_CHARS):
            yield part
            part, length = [], 0
        part.append(piece)
        length += piece.end - piece.start
    if part:
        yield part


def _pack(parts: Sequence[Piece], limit: int) -> Iterator[_Draft]:
    draft: _Draft = []
    cost = 0
    for piece in parts:
        if draft and _parted(draft[-1], piece):
            yield draft
            draft, cost = [], 0
        elif draft and (cost + piece.cost > limit or (piece.opens and cost > limit // 3)):
            full, draft = _loosened(draft, limit - piece.cost)
            yield full
            cost = sum(moved.cost for moved in draft)
        draft.append(piece)
        cost += piece.cost
    if draft:
        yield draft


def _loosened(draft: _Draft, room: int) -> tuple[_Draft, _Draft]:
    """The draft, and apart from it the headings and introducing lines at its end if they fit in before what follows."""
    at = len(draft)
    while at and (draft[at - 1].level or draft[at - 1].introduces):
        at -= 1
    fits = at and sum(piece.cost for piece in draft[at:]) <= room
    return (draft[:at], draft[at:]) if fits else (draft, [])


def _parted(last: Piece, piece: Piece) -> bool:
    """Whether structure forbids `piece` to follow in the same chunk."""
    if piece.page != last.page or piece.gap:
        return True
    if piece.level:
        return not last.level
    return _headers_differ(last, piece)


def _headers_differ(last: Piece, piece: Piece) -> bool:
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
    pages: Sequence[Page],
    drafts: list[_Draft],
    counts: list[int],
    measure: Measure,
    budget: int,
    sections: Sections,
) -> list[_Draft]:
    """Join leftovers to a neighbour where the union, counted as one text, stays within the stretch."""
    stretch = int(budget * STRETCH)
    changed = True
    while changed:
        levels = depths(drafts, sections)
        pairs = [at for at in range(1, len(drafts)) if _may_join(drafts, counts, levels, at)]
        unions = measure.sizes(_texts(pages, [drafts[at - 1] + drafts[at] for at in pairs]))
        fitting = {at: count for at, count in zip(pairs, unions, strict=True) if count <= stretch}
        changed = bool(fitting)
        drafts, counts = _joined(drafts, counts, fitting)
    return drafts


def _joined(drafts: list[_Draft], counts: list[int], unions: dict[int, int]) -> tuple[list[_Draft], list[int]]:
    """Each draft at a key of `unions` joined to the one before it, whose count the union has from then on."""
    result: list[_Draft] = []
    sizes: list[int] = []
    last_joined = -1
    for at, draft in enumerate(drafts):
        # One union at a time: its length was counted for these two alone.
        if at in unions and last_joined != at - 1:
            result[-1] = result[-1] + draft
            sizes[-1] = unions[at]
            last_joined = at
        else:
            result.append(draft)
            sizes.append(counts[at])
    return result, sizes


def _may_join(drafts: list[_Draft], counts: list[int], levels: list[int], right: int) -> bool:
    """Whether the draft at `right` and the one before it are a leftover and its neighbour."""
    before, after = drafts[right - 1], drafts[right]
    if before[0].page != after[0].page or after[0].gap or _headers_differ(before[-1], after[0]):
        return False
    left_tiny, right_tiny = counts[right - 1] < TINY, counts[right] < TINY
    if not after[0].level:
        return left_tiny or right_tiny
    if right_tiny and after[-1].level:
        # A heading with nothing under it; before another section it is that section's own.
        return right + 1 == len(drafts) or drafts[right + 1][0].page != after[0].page
    if levels[right] < levels[right - 1]:
        return False
    # A title joins what it is the title of; two small sections of one rank join each other.
    beneath = levels[right] > levels[right - 1] or not before[0].level
    return left_tiny if beneath else left_tiny and right_tiny
