"""A small plot: one horizontal bar a platform, its number at the end, its spread as a whisker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop_rag.gui.theme import Theme

_ROW, _BAR = 34, 8


@dataclass(frozen=True, slots=True)
class Bar:
    """A name, a value (None: not measured), how it reads, and the spread around it in the same unit."""

    name: str
    value: float | None
    text: str
    spread: float = 0.0


class BarPlot(QWidget):
    """The name above its bar, so that long names need no column of their own.

    `low` where less is better; `whole` is the value of a full track where there is one (1 for a share), else the
    largest value fills it.
    """

    def __init__(self, theme: Theme, name: str, *, low: bool = False, whole: float = 0.0) -> None:
        super().__init__()
        self._theme, self._name, self._low, self._whole = theme, name, low, whole
        self._bars: list[Bar] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(160)
        self.setAccessibleName(name)
        theme.watch(self.update)

    def show_bars(self, bars: Sequence[Bar]) -> None:
        """Show these, in their order."""
        self._bars = list(bars)
        self.setFixedHeight(max(1, len(self._bars)) * _ROW)
        self.setAccessibleName(f"{self._name}: " + ", ".join(f"{bar.name} {bar.text}" for bar in self._bars))
        self.update()

    @property
    def bars(self) -> list[Bar]:
        """What is shown."""
        return self._bars

    @property
    def full(self) -> float:
        """The value at the end of a track."""
        ends = [bar.value + bar.spread for bar in self._bars if bar.value is not None]
        return max([self._whole, *ends]) or 1.0

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it from the tokens."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        most = self.full
        values = [bar.value for bar in self._bars if bar.value is not None]
        best = (min if self._low else max)(values, default=None)
        for place, bar in enumerate(self._bars):
            self._paint_bar(painter, QRectF(0, place * _ROW, self.width(), _ROW), bar, most, bar.value == best)

    def _paint_bar(self, painter: QPainter, area: QRectF, bar: Bar, most: float, first: bool) -> None:
        kit = self._theme.tokens
        above = area.adjusted(0, 0, 0, -_BAR - 4)
        painter.setFont(self._theme.font("small", mono=True))
        painter.setPen(QColor(kit["text"]))
        painter.drawText(above, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom, bar.text)
        room = above.width() - painter.fontMetrics().horizontalAdvance(bar.text) - 12
        painter.setFont(self._theme.font("small"))
        painter.setPen(QColor(kit["muted"]))
        name = painter.fontMetrics().elidedText(bar.name, Qt.TextElideMode.ElideRight, int(room))
        painter.drawText(above, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, name)
        track = QRectF(area.left(), area.bottom() - _BAR - 1, area.width(), _BAR)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(kit.tint("muted", 0.12, "raised")))
        painter.drawRoundedRect(track, 3, 3)
        if bar.value is None:
            return
        painter.setBrush(QColor(kit["accent"] if first else kit.tint("accent", 0.6, "raised")))
        length = max(3.0, track.width() * bar.value / most)
        painter.drawRoundedRect(QRectF(track.left(), track.top(), length, _BAR), 3, 3)
        if bar.spread > 0:
            low, high = max(0.0, bar.value - bar.spread), bar.value + bar.spread
            y = track.center().y()
            painter.setPen(QPen(QColor(kit["text"]), 1.25))
            ends = [track.left() + track.width() * value / most for value in (low, high)]
            painter.drawLine(QPointF(ends[0], y), QPointF(ends[1], y))
            for x in ends:
                painter.drawLine(QPointF(x, y - 3), QPointF(x, y + 3))
