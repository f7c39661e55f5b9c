"""The reading order of lines found on a picture, and the paragraphs they make.

Only the lines' rectangles are known, on a page set upright. A page is parted into columns where a gap runs down
between two bodies of text; everything else is read row by row, so that the cells of a table stay beside each
other.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple


class Area(NamedTuple):
    """Where a line stands (x0, y0 top left; x1, y1 bottom right) and how many characters it has."""

    x0: float
    y0: float
    x1: float
    y1: float
    length: int

    @property
    def height(self) -> float:
        """From the top to the bottom of its letters, with what is around them."""
        return self.y1 - self.y0

    @property
    def middle(self) -> float:
        """Half way down."""
        return (self.y0 + self.y1) / 2

    @property
    def upended(self) -> bool:
        """Whether the line runs up or down a page whose other lines do not."""
        return self.length > 1 and self.height > 1.5 * (self.x1 - self.x0)


Row = list[int]
"""Numbers of the lines that stand beside each other, from left to right."""

_LEAST_LINES = 3
_LEAST_LENGTH = 12
_FILLED = 0.55
_MOST_CROSSING = 0.5
_MAX_DEPTH = 6
_NEW_PARAGRAPH = 1.35
_OTHER_SIZE = 1.45


def paragraphs(areas: Sequence[Area]) -> list[list[Row]]:
    """The paragraphs in reading order, each a list of rows of numbers into `areas`."""
    found: list[list[Row]] = []
    flat = [line for line, area in enumerate(areas) if not area.upended]
    regions = [_rows(areas, region) for region in _regions(areas, flat, 0)]
    # What runs up a margin has no row, and no place in the text beside it.
    regions += [[[line]] for line, area in enumerate(areas) if area.upended]
    everywhere = _usual_step(areas, regions)
    for rows in regions:
        usual = _usual_step(areas, [rows]) if len(rows) > 4 else everywhere
        for index, row in enumerate(rows):
            if index == 0 or _begins(areas, rows[index - 1], row, usual):
                found.append([])
            found[-1].append(row)
    return found


def _regions(areas: Sequence[Area], lines: list[int], depth: int) -> list[list[int]]:
    """The lines parted into columns, and into what stands above, between and below these."""
    gap = _gap(areas, lines) if depth < _MAX_DEPTH and len(lines) >= 2 * _LEAST_LINES else None
    if gap is None:
        return [lines] if lines else []
    found: list[list[int]] = []
    crossing: list[int] = []
    left: list[int] = []
    right: list[int] = []

    def close_columns() -> None:
        for side in (left, right):
            found.extend(_regions(areas, list(side), depth + 1))
            side.clear()

    for line in sorted(lines, key=lambda number: areas[number].middle):
        side = _side(areas[line], gap, _tolerance(areas, lines))
        if side == 0:
            close_columns()
            crossing.append(line)
            continue
        if crossing:
            found.append(list(crossing))
            crossing.clear()
        (left if side < 0 else right).append(line)
    close_columns()
    return [*found, crossing] if crossing else found


def _gap(areas: Sequence[Area], lines: Sequence[int]) -> float | None:
    """Where the gap between two columns is that the fewest lines cross; None if there are no columns."""
    tolerance = _tolerance(areas, lines)
    step = max(1.0, tolerance)
    places = {round(areas[line].x0 / step) * step - step / 2 for line in lines}
    best: tuple[int, float] | None = None
    for place in sorted(places):
        sides = [_side(areas[line], place, tolerance) for line in lines]
        crossing = sides.count(0)
        if crossing > _MOST_CROSSING * len(lines) or (best is not None and crossing >= best[0]):
            continue
        parts = ([line for line, side in zip(lines, sides, strict=True) if side == which] for which in (-1, 1))
        if all(_is_column(areas, part) for part in parts):
            best = crossing, place
    return None if best is None else best[1]


def _side(area: Area, gap: float, tolerance: float) -> int:
    """-1 for a line left of the gap, 1 for one right of it, 0 for one across it."""
    if area.x1 <= gap + tolerance:
        return -1
    return 1 if area.x0 >= gap - tolerance else 0


def _tolerance(areas: Sequence[Area], lines: Sequence[int]) -> float:
    return 0.4 * median(areas[line].height for line in lines)


def _is_column(areas: Sequence[Area], lines: Sequence[int]) -> bool:
    """Whether lines look like running text, not like the cells of a table: most fill the column's width."""
    if len(lines) < _LEAST_LINES:
        return False
    width = max(areas[line].x1 for line in lines) - min(areas[line].x0 for line in lines)
    usual = median(areas[line].x1 - areas[line].x0 for line in lines)
    return usual >= _FILLED * width and median(areas[line].length for line in lines) >= _LEAST_LENGTH


def _rows(areas: Sequence[Area], lines: Sequence[int]) -> list[Row]:
    rows: list[Row] = []
    for line in sorted(lines, key=lambda number: (areas[number].middle, areas[number].x0)):
        area = areas[line]
        beside = rows[-1] if rows else []
        if beside and all(_beside(areas[other], area) for other in beside):
            beside.append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda number: areas[number].x0) for row in rows]


def _beside(one: Area, other: Area) -> bool:
    """Whether two lines stand on one row: they overlap by half of the lower one's height, and not in width."""
    lower = min(one.height, other.height)
    apart = min(one.x1, other.x1) - max(one.x0, other.x0) < lower
    return apart and min(one.y1, other.y1) - max(one.y0, other.y0) > 0.5 * lower


def _usual_step(areas: Sequence[Area], regions: Sequence[Sequence[Row]]) -> float:
    """From one row to the next in running text: a low quartile, for many steps are gaps between paragraphs."""
    steps = sorted(
        _middle(areas, below) - _middle(areas, above)
        for rows in regions
        for above, below in pairwise(rows)
        if _middle(areas, below) - _middle(areas, above) > 0.5 * _height(areas, below)
    )
    return steps[len(steps) // 4] if steps else 0.0


def _begins(areas: Sequence[Area], above: Row, below: Row, usual: float) -> bool:
    """Whether a new paragraph begins with the row `below`."""
    heights = sorted((_height(areas, above), _height(areas, below)))
    if heights[1] > _OTHER_SIZE * heights[0]:
        return True
    step = _middle(areas, below) - _middle(areas, above)
    return step > max(_NEW_PARAGRAPH * usual, 0.9 * heights[1])


def _middle(areas: Sequence[Area], row: Row) -> float:
    return sum(areas[line].middle for line in row) / len(row)


def _height(areas: Sequence[Area], row: Row) -> float:
    return max(areas[line].height for line in row)
