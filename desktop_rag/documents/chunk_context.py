"""The section path of each chunk: which headings, and which table header, its text stands under."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from desktop_rag.documents.chunk_pieces import Piece, beginning
from desktop_rag.documents.chunk_split import Measure

_JOINT = " > "
# No budget of tokens holds more; the columns of a table may have names by the thousand.
_LONGEST = 400
_APART = frozenset(("pptx", "ppt", "odp", "sheet", "mbox", "msg"))


def apart(format_name: str | None) -> bool:
    """Whether the pages of such a file are slides, sheets or mails: a heading holds for its own page alone."""
    return format_name in _APART


class Sections:
    """The headings in force while a document is read from its beginning to its end."""

    def __init__(self, *, apart: bool = False) -> None:
        self._apart = apart
        self._page = -1
        self._stack: list[tuple[int, str]] = []

    def copy(self) -> Sections:
        """Another reader at the same place."""
        other = Sections(apart=self._apart)
        other._page, other._stack = self._page, list(self._stack)
        return other

    def turn(self, page: int) -> None:
        """What follows stands on `page`."""
        if self._apart and page != self._page:
            self._stack.clear()
        self._page = page

    def pass_by(self, draft: Sequence[Piece]) -> None:
        """Take the headings of a chunk into account."""
        for piece in draft:
            if piece.level:
                while self._stack and self._stack[-1][0] >= piece.level:
                    self._stack.pop()
                self._stack.append((piece.level, piece.title))

    def above(self, outer: int = 0) -> list[str]:
        """The titles in force, those of level `outer` and below left out."""
        return [title for level, title in self._stack if not outer or level < outer]

    @property
    def depth(self) -> int:
        """The level of the innermost heading in force, 0 where there is none."""
        return self._stack[-1][0] if self._stack else 0


def opening(draft: Sequence[Piece]) -> int:
    """The level of the heading a chunk begins with (the highest, if there are several), else 0."""
    return min((piece.level for piece in draft[: _body(draft) + 1] if piece.level), default=0)


def depths(drafts: Sequence[Sequence[Piece]], sections: Sections) -> list[int]:
    """For each draft the level of the heading its own beginning stands under."""
    reader, found = sections.copy(), []
    for draft in drafts:
        reader.turn(draft[0].page)
        level = opening(draft)
        found.append(level - 1 if level else reader.depth)
        reader.pass_by(draft)
    return found


def contexts(drafts: Sequence[Sequence[Piece]], measure: Measure, budget: int, sections: Sections) -> list[str]:
    """For each draft what it stands under ("Chapter > Section"), within `budget` tokens; `sections` moves along.

    Last comes what the draft's first words need: the line that introduces a list, the header of a table. A path over
    the budget loses its outermost headings first, then the last words of what is left.
    """
    paths = list(_paths(drafts, sections))
    distinct = sorted(set(paths))
    shortened = dict(zip(distinct, _shorten(distinct, measure, budget), strict=True))
    return [shortened[path] for path in paths]


def _body(draft: Sequence[Piece]) -> int:
    """The place of the first piece that is no heading, or of the last one."""
    return next((index for index, piece in enumerate(draft[:-1]) if not piece.level), len(draft) - 1)


def _paths(drafts: Sequence[Sequence[Piece]], sections: Sections) -> Iterator[tuple[str, ...]]:
    for draft in drafts:
        sections.turn(draft[0].page)
        # What the draft opens with replaces its equals: they are no longer in force.
        path = sections.above(opening(draft))
        first = draft[_body(draft)]
        # One part: of both, the end of a long header goes first.
        needed = beginning(_JOINT.join(filter(None, (first.lead, first.header))), _LONGEST)
        yield (*path, needed) if needed else tuple(path)
        sections.pass_by(draft)


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
