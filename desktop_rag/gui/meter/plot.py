"""The live plot of an answer: reading the prompt as a band, writing as a line, the machine's limit as a dashed one."""

from __future__ import annotations

from math import log10

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop_rag.gui.meter.telemetry import Trace
from desktop_rag.gui.theme import Theme

_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 10, 12, 22
_LEAST_SECONDS = 1.0
_ROOM = 1.12
_FAR = 4
_ROUND = (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8)


class SpeedPlot(QWidget):
    """Shows one `Trace`, the one before it as a faint line."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._trace: Trace | None = None
        self._before: Trace | None = None
        self.setMinimumHeight(176)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Speed of the answer over time")
        theme.watch(self.update)

    def show_trace(self, trace: Trace | None, before: Trace | None) -> None:
        """Show this answer, and the one before for comparison."""
        self._trace, self._before = trace, before
        speeds = [speed for _at, speed in trace.points] if trace else []
        self.setAccessibleDescription(f"Between {min(speeds):.0f} and {max(speeds):.0f} tok/s" if speeds else "")
        self.update()

    # -- painting ------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it from the tokens."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._theme.font("small", mono=True))
        area = QRectF(self.rect()).adjusted(_LEFT, _TOP, -_RIGHT, -_BOTTOM)
        seconds, top = self._ranges()
        trace = self._trace
        if trace is None or not (trace.points or trace.first):
            painter.setPen(self._theme.colour("muted"))
            painter.setFont(self._theme.font("body"))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, "Ask something: the answer is drawn here as it comes.")
            return
        self._paint_grid(painter, area, seconds, top)
        self._paint_prefill(painter, area, seconds, top, trace)
        if trace.limit is not None:
            self._paint_limit(painter, area, top, trace.limit)
        if self._before is not None:
            self._paint_line(painter, area, (seconds, top), self._before, faint=True)
        self._paint_line(painter, area, (seconds, top), trace)

    def _ranges(self) -> tuple[float, float]:
        """The seconds and tok/s at the ends of the axes."""
        traces = [trace for trace in (self._trace, self._before) if trace is not None]
        last = [trace.points[-1][0] for trace in traces if trace.points] + [trace.first or 0.0 for trace in traces]
        speeds = [speed for trace in traces for _at, speed in trace.points]
        fastest = max([10.0, *speeds])
        # A limit far above would press the line to the ground; then it is only told.
        limits = [trace.limit for trace in traces[:1] if trace.limit and trace.limit <= _FAR * fastest]
        return max([_LEAST_SECONDS, *last]), rounded_up(max([fastest, *limits]) * _ROOM)

    def _paint_grid(self, painter: QPainter, area: QRectF, seconds: float, top: float) -> None:
        for step in range(5):
            y = area.bottom() - area.height() * step / 4
            painter.setPen(QPen(self._theme.colour("line"), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(self._theme.colour("muted"))
            place = QRectF(0, y - 8, _LEFT - 8, 16)
            painter.drawText(
                place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{top * step / 4:.0f}"
            )
        below = QRectF(area.left(), area.bottom() + 4, area.width(), 16)
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft, "0 s")
        painter.drawText(below, Qt.AlignmentFlag.AlignRight, f"{seconds:.1f} s")
        painter.drawText(
            below,
            Qt.AlignmentFlag.AlignHCenter,
            "tok/s over time" + (" · dotted: the answer before" if self._before else ""),
        )

    def _paint_prefill(self, painter: QPainter, area: QRectF, seconds: float, top: float, trace: Trace) -> None:
        """The band until the first token."""
        if not trace.first:
            return
        kit = self._theme.tokens
        band = QRectF(area.left(), area.top(), area.width() * min(1.0, trace.first / seconds), area.height())
        painter.fillRect(band, QColor(kit.tint("muted", 0.12, "raised")))
        speed = trace.usage.get("prefill_tps")
        said = f"reading the prompt, {speed:.0f} tok/s" if speed else "reading the prompt"
        painter.setPen(self._theme.colour("muted"))
        room = painter.fontMetrics().horizontalAdvance(said) + 16
        if band.width() >= room:
            painter.drawText(band.adjusted(8, 6, -8, 0), Qt.AlignmentFlag.AlignLeft, said)

    def _paint_limit(self, painter: QPainter, area: QRectF, top: float, limit: float) -> None:
        y = max(area.top() + 18, area.bottom() - area.height() * limit / top)
        inside = limit <= top
        if inside:
            painter.setPen(QPen(self._theme.colour("warn"), 1.25, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        painter.setPen(self._theme.colour("warn"))
        place = QRectF(area.left(), y - 18, area.width() - 4, 16)
        words = f"{'' if inside else '↑ '}limit of this machine {limit:.0f} tok/s"
        # On a ground of its own: a line of the grid may lie behind it.
        ground = painter.boundingRect(place, Qt.AlignmentFlag.AlignRight, words).adjusted(-4, 0, 4, 0)
        painter.fillRect(ground, self._theme.colour("raised"))
        painter.drawText(place, Qt.AlignmentFlag.AlignRight, words)

    def _paint_line(
        self, painter: QPainter, area: QRectF, scale: tuple[float, float], trace: Trace, *, faint: bool = False
    ) -> None:
        seconds, top = scale
        points = [
            QPointF(area.left() + area.width() * at / seconds, area.bottom() - area.height() * min(speed, top) / top)
            for at, speed in trace.points
        ]
        if len(points) < 2:
            return
        kit = self._theme.tokens
        if not faint:
            under = QPolygonF([QPointF(points[0].x(), area.bottom()), *points, QPointF(points[-1].x(), area.bottom())])
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(kit.tint("accent", 0.14, "raised")))
            painter.drawPolygon(under)
        style = Qt.PenStyle.DotLine if faint else Qt.PenStyle.SolidLine
        painter.setPen(QPen(QColor(kit["muted"] if faint else kit["accent"]), 1.25 if faint else 2, style))
        painter.drawPolyline(QPolygonF(points))


def rounded_up(value: float) -> float:
    """The next round number of an axis whose quarters are round as well."""
    power = 10 ** int(log10(value)) if value >= 1 else 1
    return float(next((step * power for step in _ROUND if step * power >= value), 10 * power))
