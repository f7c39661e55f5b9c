"""Text recognition: a picture of a page to its text, with the place of every line on the picture.

Nothing is written, nothing leaves the process, and the same picture gives the same text. The networks are loaded
when the first picture comes; a page takes seconds and cannot be interrupted but by ending the process.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median

import numpy as np

from desktop_rag.documents.model import Block, Box, Page
from desktop_rag.documents.recognise_layout import Area, Row, paragraphs
from desktop_rag.documents.recognise_models import (
    Corners,
    Picture,
    Reading,
    cut_out,
    find_lines,
    read_line,
    threads,
)

# Below, a line is a pattern rather than text, or in letters that the reader does not know (Russian, Arabic).
_LEAST_SCORE = 0.65
# Below, a page is: Greek, whose accents are lost, reaches 0.87 and Armenian 0.77; a bad fax in German has 0.94.
_LEAST_CONFIDENCE = 0.9
_LEAST_LETTERS = 3
# A page of which less than this could be read is not said to be read for the numbers and names that stand out.
_LEAST_SHARE = 0.5
_SURE = 0.88
_BETTER = 0.05
_SAMPLE = 6
_TALL = 1.5
# The text found varies in height with its letters; a heading stands out clearly, and is no whole paragraph.
_HEADING = 1.4
_MOST_ROWS, _MOST_LETTERS = 2, 120
_TO_ASCII = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_FIRST_CJK = "\u2e80"
_LAST_CJK = "\uff00"


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it was read; `corners` in pixels of the picture as given, `places` from 0 (begins) to 1 (ends)."""

    text: str
    score: float
    corners: Corners
    places: tuple[float, ...]

    def box(self, start: int, end: int) -> tuple[float, float, float, float]:
        """(x0, y0, x1, y1) in pixels around the characters `start` to `end` (not included)."""
        edges = [0.0, *((one + other) / 2 for one, other in zip(self.places, self.places[1:], strict=False)), 1.0]
        begins_above, ends_above, ends_below, begins_below = self.corners
        points = np.array(
            [
                corner + (other - corner) * edges[at]
                for at in (start, end)
                for corner, other in ((begins_above, ends_above), (begins_below, ends_below))
            ]
        )
        (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
        return float(x0), float(y0), float(x1), float(y1)


@dataclass(frozen=True, slots=True)
class Recognised:
    """A page read from a picture: text and blocks as in Page, and where in the text each line stands."""

    text: str
    blocks: tuple[Block, ...]
    confidence: float
    lines: tuple[tuple[int, int, Line], ...]

    def page(self, number: int | None, locator: str | None = None) -> Page:
        """The page to be handed on."""
        return Page(number, locator, self.text, self.blocks, self.confidence)

    def boxes(self, start: int, end: int, points_per_pixel: tuple[float, float]) -> list[Box]:
        """One box in points for each line that `text[start:end]` touches."""
        across, down = points_per_pixel
        found: list[Box] = []
        for first, last, line in self.lines:
            begin, stop = max(start, first), min(end, last)
            if begin < stop and not self.text[begin:stop].isspace():
                x0, y0, x1, y1 = line.box(begin - first, stop - first)
                found.append(Box(x0 * across, y0 * down, (x1 - x0) * across, (y1 - y0) * down))
        return found


def recognise(picture: Picture) -> Recognised | None:
    """The text on a picture, whichever way it is turned; None if next to nothing could be read."""
    with ThreadPoolExecutor(threads()) as pool:
        found, turns = _read(picture, pool)
    lines = [line for line in found if line.score >= _LEAST_SCORE]
    characters = sum(len(line.text) for line in lines)
    if sum(map(str.isalnum, "".join(line.text for line in lines))) < _LEAST_LETTERS:
        return None
    if _room(lines) < _LEAST_SHARE * _room(found):
        return None
    confidence = sum(line.score * len(line.text) for line in lines) / characters
    if confidence < _LEAST_CONFIDENCE:
        return None
    ordered = paragraphs(_areas(lines, picture.shape, turns))
    return _composed(lines, ordered, round(confidence, 4))


def _read(picture: Picture, pool: Executor) -> tuple[list[Line], int]:
    """All lines of a picture in no order, and the counter-clockwise quarter turns that set it upright."""
    turns, upright, lines = 0, picture, find_lines(picture)
    if _is_sideways(lines):
        # Text that runs up or down is found, but not as exactly as text that lies flat.
        turns, upright = 1, _quarters(picture, 1)
        lines = find_lines(upright)
    known = _sampled(upright, lines, pool, 0)
    if known and _mean(known.values()) < _SURE:
        flipped = _sampled(upright, lines, pool, 2)
        if _mean(flipped.values()) > _mean(known.values()) + _BETTER:
            turns, upright, known = turns + 2, _quarters(upright, 2), {}
            lines = find_lines(upright)
    rest = [number for number in range(len(lines)) if number not in known]
    read = pool.map(lambda number: _any_way_up(upright, lines[number]), rest)
    result = dict(zip(rest, read, strict=True)) | {number: (known[number], lines[number]) for number in known}
    return [
        Line(_plain(reading.text), reading.score, _turned_back(corners, picture.shape, turns), reading.places)
        for _, (reading, corners) in sorted(result.items(), key=lambda item: item[0])
    ], turns


def _is_sideways(lines: Sequence[Corners]) -> bool:
    """Whether most of the text on a picture runs up or down."""
    tall = flat = 0.0
    for line in lines:
        width, height = _extent(line)
        tall += height if height > _TALL * width else 0
        flat += width if width > _TALL * height else 0
    return tall > flat


def _sampled(picture: Picture, lines: Sequence[Corners], pool: Executor, turns: int) -> dict[int, Reading]:
    """Some of the longer lines, read with the picture turned by quarters."""
    wide = [number for number, line in enumerate(lines) if _extent(line)[0] > 2 * _extent(line)[1]]
    chosen = sorted(wide, key=lambda number: -_extent(lines[number])[0])[: 2 * _SAMPLE : 2]
    read = pool.map(lambda number: read_line(_quarters(cut_out(picture, lines[number]), turns)), chosen)
    return dict(zip(chosen, read, strict=True))


def _any_way_up(picture: Picture, line: Corners) -> tuple[Reading, Corners]:
    """A line as it stands, or, if it is taller than wide, whichever way it can be read best."""
    width, height = _extent(line)
    cut = cut_out(picture, line)
    if height <= _TALL * width:
        return read_line(cut), line
    ways = [(1, 1), (3, 3)] if height > 2 * _TALL * width else [(0, 0), (1, 1), (3, 3)]
    read = [(read_line(_quarters(cut, turns)), np.roll(line, -first, axis=0)) for turns, first in ways]
    return max(read, key=lambda way: way[0].score)


def _turned_points(points: Corners, width: float) -> Corners:
    return np.stack([points[:, 1], width - points[:, 0]], axis=1).astype(np.float32)


def _turned_back(points: Corners, shape: Sequence[int], turns: int) -> Corners:
    """Points of a picture that was turned, on the picture of `shape` (height, width) as it was."""
    height, width = shape[0], shape[1]
    for done in range(turns, 4) if turns else ():
        points = _turned_points(points, height if done % 2 else width)
    return points


def _quarters(picture: Picture, turns: int) -> Picture:
    return np.ascontiguousarray(np.rot90(picture, turns))


def _extent(line: Corners) -> tuple[float, float]:
    """Width and height of a line."""
    return float(np.linalg.norm(line[1] - line[0])), float(np.linalg.norm(line[3] - line[0]))


def _room(lines: Iterable[Line]) -> float:
    """How many characters lines have room for, more or less."""
    return sum(width / height for width, height in (_extent(line.corners) for line in lines) if height)


def _mean(readings: Iterable[Reading]) -> float:
    scores = [reading.score for reading in readings]
    return sum(scores) / len(scores) if scores else 0.0


def _plain(text: str) -> str:
    """Full-width signs as ordinary ones in text that is not Chinese or Japanese; the length stays."""
    return text if any(_FIRST_CJK < sign < _LAST_CJK for sign in text) else text.translate(_TO_ASCII)


def _areas(lines: Sequence[Line], shape: Sequence[int], turns: int) -> list[Area]:
    """Where lines stand on the page set upright and straight."""
    height, width = shape[0], shape[1]
    upright = []
    for line in lines:
        points = line.corners
        for done in range(turns):
            points = _turned_points(points, height if done % 2 else width)
        upright.append(points)
    slopes = [
        math.atan2(float(points[1][1] - points[0][1]), float(points[1][0] - points[0][0]))
        for points in upright
        if _extent(points)[0] > 4 * _extent(points)[1] and points[1][0] > points[0][0]
    ]
    slope = median(slopes) if slopes else 0.0
    straight = np.array([[math.cos(slope), -math.sin(slope)], [math.sin(slope), math.cos(slope)]])
    areas = []
    for line, points in zip(lines, upright, strict=True):
        (x0, y0), (x1, y1) = (points @ straight).min(axis=0), (points @ straight).max(axis=0)
        areas.append(Area(float(x0), float(y0), float(x1), float(y1), len(line.text)))
    return areas


def _composed(lines: Sequence[Line], ordered: Sequence[Sequence[Row]], confidence: float) -> Recognised:
    """Text of the paragraphs: a blank line between them, a row on each line, words broken at its end made whole."""
    text = ""
    blocks: list[Block] = []
    places: list[tuple[int, int, Line]] = []
    headings = _headings(lines, ordered)
    for paragraph, rows in enumerate(ordered):
        text += "\n\n" if text else ""
        begin = len(text)
        for at, row in enumerate(rows):
            first = lines[row[0]].text
            if at and len(rows[at - 1]) == len(row) == 1 and _is_broken(text, first):
                text = text[:-1]
                start, end, broken = places[-1]
                places[-1] = start, end - 1, broken
            elif at:
                text += "\n"
            for place, number in enumerate(row):
                text += " " if place else ""
                places.append((len(text), len(text) + len(lines[number].text), lines[number]))
                text += lines[number].text
        if paragraph in headings:
            blocks.append(Block("heading", begin, len(text), level=1))
        else:
            blocks.append(Block("paragraph", begin, len(text)))
    return Recognised(text, tuple(blocks), confidence, tuple(places))


def _headings(lines: Sequence[Line], ordered: Sequence[Sequence[Row]]) -> set[int]:
    """Which paragraphs are headings: short, much taller than most of the page, over text that is not."""
    usual = median(_extent(line.corners)[1] for line in lines for _ in line.text)
    found: set[int] = set()
    leads = False
    for number, rows in reversed(list(enumerate(ordered))):
        members = [lines[line] for row in rows for line in row]
        tall = all(_extent(line.corners)[1] > _HEADING * usual for line in members)
        text = "".join(line.text for line in members)
        short = len(rows) <= _MOST_ROWS and len(text) <= _MOST_LETTERS
        if tall and short and leads and any(map(str.isalpha, text)):
            found.add(number)
        leads = not tall or number in found
    return found


def _is_broken(text: str, following: str) -> bool:
    """Whether a word was broken at the end of a line; a broken word goes on in lower case."""
    return len(text) > 1 and text[-1] == "-" and text[-2].isalpha() and following[:1].islower()
