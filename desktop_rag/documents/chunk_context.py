"""The section path of each chunk: which headings, and which table header, its text stands under."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from desktop_rag.documents.chunk_pieces import Measure, Piece

_JOINT = " > "


def contexts(drafts: Sequence[Sequence[Piece]], measure: Measure, budget: int) -> list[str]:
    """For each draft the headings in force before it ("Chapter > Section"), within `budget` tokens.

    Headings inside a draft count for the following ones, also on the next pages. A path over the
    budget loses its outermost headings first, then the last words of what is left.
    """
    paths = list(_paths(drafts))
    distinct = sorted(set(paths))
    shortened = dict(zip(distinct, _shorten(distinct, measure, budget), strict=True))
    return [shortened[path] for path in paths]


def _paths(drafts: Sequence[Sequence[Piece]]) -> Iterator[tuple[str, ...]]:
    stack: list[tuple[int, str]] = []
    for draft in drafts:
        body = 0
        while body < len(draft) - 1 and draft[body].level:
            body += 1
        # What the draft opens with replaces its equals: they are no longer in force.
        outer = min((piece.level for piece in draft[: body + 1] if piece.level), default=0)
        above = [title for level, title in stack if not outer or level < outer]
        header = draft[body].header
        yield (*above, header) if header else tuple(above)
        for piece in draft:
            if piece.level:
                while stack and stack[-1][0] >= piece.level:
                    stack.pop()
                stack.append((piece.level, piece.title))


def _shorten(paths: Sequence[tuple[str, ...]], measure: Measure, budget: int) -> list[str]:
    """Every path as a text within the budget; the outermost parts go first, one round for all of them."""
    kept = [list(path) for path in paths]
    open_ones = [index for index, path in enumerate(kept) if path]
    while open_ones:
        counts = measure.counts([_JOINT.join(kept[index]) for index in open_ones])
        over = [index for index, count in zip(open_ones, counts, strict=True) if count > budget]
        for index in over:
            kept[index] = _less(kept[index])
        open_ones = [index for index in over if kept[index]]
    return [_JOINT.join(path) for path in kept]


def _less(path: list[str]) -> list[str]:
    if len(path) > 1:
        return path[1:]
    words = path[0].split()
    fewer = len(words) * 3 // 4
    return [" ".join(words[:fewer])] if fewer else []
