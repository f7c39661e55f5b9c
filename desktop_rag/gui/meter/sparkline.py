"""A small line of the last tok/s values."""

from __future__ import annotations

from collections import deque

from PySide6.QtCore import QPointF, QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from desktop_rag.gui.theme import Theme

_KEPT = 32


class Sparkline(QWidget):
    """Scaled to its own highest value; empty until something was measured."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._values: deque[float] = deque(maxlen=_KEPT)
        self.setFixedSize(QSize(72, 16))
        self.setAccessibleName("Speed over time")
        theme.watch(self.update)

    def add(self, value: float) -> None:
        """Append a measurement."""
        self._values.append(value)
        self.update()

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it from the tokens."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        kit = self._theme.tokens
        base = self.height() - 1.5
        if len(self._values) < 2:
            painter.setPen(QPen(QColor(kit["line"]), 1))
            painter.drawLine(QPointF(0, base), QPointF(self.width(), base))
            return
        top = max(self._values) or 1.0
        step = self.width() / (_KEPT - 1)
        first = self.width() - step * (len(self._values) - 1)
        points = [QPointF(first + step * i, base - (base - 2) * value / top) for i, value in enumerate(self._values)]
        painter.setPen(QPen(QColor(kit["accent"]), 0))
        area = QPolygonF([QPointF(points[0].x(), base), *points, QPointF(points[-1].x(), base)])
        painter.setBrush(QColor(kit.tint("accent", 0.18)))
        painter.setPen(QColor(0, 0, 0, 0))
        painter.drawPolygon(area)
        painter.setPen(QPen(QColor(kit["accent"]), 1.5))
        painter.drawPolyline(QPolygonF(points))
