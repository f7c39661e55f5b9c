"""How long a question takes by the number of passages: as bars for the terminal, and as a picture (SVG). Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

_BAR = 40
_WIDTH, _HEIGHT, _MARGIN = 640, 400, 64
_SERIES = (("p50_ms", "half of the questions", "#2563eb"), ("p95_ms", "95 of 100", "#d97706"))
_INK, _FAINT = "#334155", "#cbd5e1"


def bars(rows: Sequence[tuple[str, float, float]]) -> list[str]:
    """A bar for each size: full up to the median, then light up to the 95th percentile."""
    longest = max((p95 for _, _, p95 in rows), default=0) or 1
    lines = []
    for name, p50, p95 in rows:
        full, whole = (math.ceil(_BAR * value / longest) for value in (p50, p95))
        lines.append(f"{name:>9} {'█' * full}{'░' * max(0, whole - full)} {p50:.1f} … {p95:.1f} ms")
    return lines


def svg(rows: Sequence[Mapping[str, Any]]) -> str:
    """Both percentiles over the number of passages, both axes logarithmic."""
    xs = [math.log10(row["chunks"]) for row in rows]
    ys = [math.log10(max(0.1, row[name])) for row in rows for name, _, _ in _SERIES]
    across = _Axis(math.floor(min(xs)), math.ceil(max(xs)), _MARGIN, _WIDTH - _MARGIN)
    up = _Axis(math.floor(min(ys)), math.ceil(max(ys)), _HEIGHT - _MARGIN, _MARGIN)
    parts = [*_grid(across, up)]
    for at, (name, label, colour) in enumerate(_SERIES):
        points = [(across(x), up(math.log10(max(0.1, row[name])))) for x, row in zip(xs, rows, strict=True)]
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in points]
        parts.append(_text(_MARGIN + 12, _MARGIN + 16 + 18 * at, label, colour))
    title = _text(_MARGIN, 32, "Milliseconds for a question, by the number of passages", _INK)
    size = f'width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    ground = '<rect width="100%" height="100%" fill="white"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{ground}{title}{"".join(parts)}</svg>\n'


class _Axis:
    """Whole powers of ten from one place of the picture to another."""

    def __init__(self, low: int, high: int, begin: float, end: float) -> None:
        self.low, self.high = low, max(high, low + 1)
        self._begin, self._step = begin, (end - begin) / (self.high - low)

    def __call__(self, power: float) -> float:
        return self._begin + (power - self.low) * self._step

    @property
    def powers(self) -> range:
        """The powers that get a line."""
        return range(self.low, self.high + 1)


def _grid(across: _Axis, up: _Axis) -> list[str]:
    parts = []
    for power in across.powers:
        x = across(power)
        parts.append(_line(x, up(up.low), x, up(up.high)))
        parts.append(_text(x, _HEIGHT - _MARGIN + 24, f"{10**power:,}", _INK, "middle"))
    for power in up.powers:
        y = up(power)
        parts.append(_line(across(across.low), y, across(across.high), y))
        parts.append(_text(_MARGIN - 8, y + 4, f"{10.0**power:,g}", _INK, "end"))
    return parts


def _line(x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{_FAINT}"/>'


def _text(x: float, y: float, text: str, colour: str, anchor: str = "start") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} font-family="sans-serif" font-size="13" fill="{colour}">{escape(text)}</text>'
