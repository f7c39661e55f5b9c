"""Places of a text that are marked as private, and laying new marks over those that are there. Pure.

Marks of one text are sorted and do not overlap. One that is laid over others takes in the replaced ones it overlaps
and cuts the kept ones, so that never less is replaced than before.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from desktop_rag.privacy.fold import words

OWN_TERM = "OWN_TERM"
"""The class of what a user marks without naming one; every other class tells more."""
LABEL = re.compile(r"[A-Z]+(?:_[A-Z]+)*")
"""What a class is called inside."""


@dataclass(frozen=True, slots=True)
class Mark:
    """`text[start:end]` (code points) is of class `label` and is replaced or kept; `decided`: a person said so.

    `id` is the place's row in the database, None for one that has none yet.
    """

    start: int
    end: int
    label: str
    score: float
    replace: bool
    decided: bool = False
    id: int | None = None


def resolved(text: str, marks: Iterable[Mark]) -> list[Mark]:
    """Stored marks without overlaps: what a person marked later is laid over what was there before."""
    held = sorted((replace(mark, end=min(mark.end, len(text))) for mark in marks), key=lambda mark: mark.start)
    held = [mark for mark in held if mark.start < mark.end]
    if all(mark.end <= following.start for mark, following in pairwise(held)):
        return held
    over = [mark for mark in held if mark.decided and any(_overlap(mark, other) for other in held if other is not mark)]
    base = [mark for mark in held if mark not in over]
    for mark in sorted(over, key=lambda mark: mark.id or 0):
        base = laid_over(text, base, [mark]) if mark.replace else laid_bare(text, base, mark)
    return base


def laid_over(text: str, marks: Iterable[Mark], over: Sequence[Mark]) -> list[Mark]:
    """The marks with replaced ones laid over them; what overlaps becomes one mark over all of it."""
    held = list(marks)
    if not over:
        return held
    covering = [_joined(group) for group in _groups([*(mark for mark in held if mark.replace), *over])]
    kept = [mark for mark in held if not mark.replace]
    return sorted([*covering, *_cut(text, kept, covering)], key=lambda mark: mark.start)


def laid_bare(text: str, marks: Iterable[Mark], bare: Mark) -> list[Mark]:
    """The marks with `bare` (kept, decided) in place of those inside it; what is replaced beyond it stays as it is."""
    held = [mark for mark in marks if mark.start < bare.start or bare.end < mark.end]
    if any(mark.replace and _overlap(mark, bare) for mark in held):
        return list(marks)
    return sorted([bare, *_cut(text, held, [bare])], key=lambda mark: mark.start)


def _overlap(mark: Mark, other: Mark) -> bool:
    return mark.start < other.end and other.start < mark.end


def _groups(marks: Iterable[Mark]) -> Iterator[list[Mark]]:
    """Marks that overlap, directly or through others."""
    group: list[Mark] = []
    end = 0
    for mark in sorted(marks, key=lambda mark: (mark.start, mark.end)):
        if group and mark.start >= end:
            yield group
            group, end = [], 0
        group.append(mark)
        end = max(end, mark.end)
    if group:
        yield group


def _joined(group: list[Mark]) -> Mark:
    """One mark over the whole group, with the class of its longest one; of equals the first that tells a class."""
    if len(group) == 1:
        return group[0]
    start, end = group[0].start, max(mark.end for mark in group)
    told = max(group, key=lambda mark: (mark.end - mark.start, mark.label != OWN_TERM, mark.score))
    known = next((mark for mark in group if mark.id is not None and (mark.start, mark.end) == (start, end)), None)
    decided = any(mark.decided for mark in group)
    if known is not None:
        return replace(known, label=told.label, score=1.0, decided=decided)
    return Mark(start, end, told.label, 1.0, replace=True, decided=decided)


def _cut(text: str, kept: Sequence[Mark], over: Sequence[Mark]) -> Iterator[Mark]:
    """What is left of the kept marks beside those laid over them: every rest that has a word."""
    ends = [mark.end for mark in over]
    for mark in kept:
        at = mark.start
        number = bisect_left(ends, at + 1)
        if number == len(over) or over[number].start >= mark.end:
            yield mark
            continue
        while number < len(over) and over[number].start < mark.end:
            yield from _rest(text, mark, at, over[number].start)
            at = over[number].end
            number += 1
        yield from _rest(text, mark, at, mark.end)


def _rest(text: str, mark: Mark, start: int, end: int) -> Iterator[Mark]:
    found = words(text[start:end]) if start < end else []
    if found:
        yield replace(mark, start=start + found[0][1], end=start + found[-1][2], id=None)
