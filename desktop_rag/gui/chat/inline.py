"""Small painted objects inside a text: citation chips and support marks."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPointF, QRect, QRectF, QSizeF, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QPainter,
    QPen,
    QPyTextObject,
    QTextCharFormat,
    QTextDocument,
    QTextFormat,
)

from desktop_rag.gui import words
from desktop_rag.gui.theme import Theme

OBJECT = int(QTextFormat.ObjectTypes.UserObject) + 1
OBJECT_CHARACTER = "\ufffc"
_MARKER = int(QTextFormat.Property.UserProperty) + 1
_SUPPORT = int(QTextFormat.Property.UserProperty) + 2
_WEAK = int(QTextFormat.Property.UserProperty) + 3
_MARK_WIDTH = 15.0


def chip(marker: int, weak: bool, support: str = "") -> QTextCharFormat:
    """The format of a citation chip; clicking it asks for `cite:<marker>:<support>`.

    The last chip of a sentence carries the sentence's support mark, so that no line break parts them.
    """
    form = _object(f"cite:{marker}:{support}")
    form.setProperty(_MARKER, marker)
    form.setProperty(_WEAK, weak)
    form.setProperty(_SUPPORT, support)
    return form


def support_mark(support: str) -> QTextCharFormat:
    """The format of a support mark."""
    form = _object(f"support:{support}")
    form.setProperty(_SUPPORT, support)
    return form


def _object(href: str) -> QTextCharFormat:
    form = QTextCharFormat()
    form.setObjectType(OBJECT)
    form.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignMiddle)
    form.setAnchor(True)
    form.setAnchorHref(href)
    return form


class InlinePainter(QPyTextObject):
    """Draws chips and marks; `ringed` is the marker whose passage is open at the right."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.ringed: int | None = None

    def intrinsicSize(self, doc: QTextDocument, posInDocument: int, format: QTextFormat) -> QSizeF:
        """The size of a chip or mark."""
        metrics = QFontMetricsF(self._theme.font("small", weight=600))
        if format.hasProperty(_MARKER):
            width = max(20.0, metrics.horizontalAdvance(str(format.property(_MARKER))) + 12) + 3
            return QSizeF(width + (_MARK_WIDTH if format.property(_SUPPORT) else 0), 18)
        return QSizeF(_MARK_WIDTH, 16)

    def drawObject(
        self,
        painter: QPainter,
        rect: QRectF | QRect,
        doc: QTextDocument,
        posInDocument: int,
        format: QTextFormat,
    ) -> None:
        """Draw a chip or mark."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area, support = QRectF(rect), str(format.property(_SUPPORT) or "")
        if format.hasProperty(_MARKER):
            chip_area = area.adjusted(0, 0, -_MARK_WIDTH if support else 0, 0)
            self._draw_chip(painter, chip_area, int(format.property(_MARKER)), bool(format.property(_WEAK)))
            area.setLeft(chip_area.right())
        if support:
            self._draw_mark(painter, area, support)
        painter.restore()

    def _draw_chip(self, painter: QPainter, rect: QRectF, marker: int, weak: bool) -> None:
        kit = self._theme.tokens
        body = rect.adjusted(3.5, 0.5, -0.5, -0.5)
        ringed = marker == self.ringed
        pen = QPen(QColor(kit["accent"]) if ringed else QColor(kit.tint("accent", 0.3)), 2 if ringed else 1)
        if weak and not ringed:
            pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(QColor(kit.tint("accent", 0.1)))
        painter.drawRoundedRect(body, body.height() / 2, body.height() / 2)
        painter.setPen(QColor(kit["accent"]))
        painter.setFont(self._theme.font("small", weight=600))
        painter.drawText(body, Qt.AlignmentFlag.AlignCenter, str(marker))

    def _draw_mark(self, painter: QPainter, rect: QRectF, support: str) -> None:
        _sign, role, _text = words.SUPPORT.get(support, ("", "muted", ""))
        colour = QColor(self._theme.tokens[role])
        centre = QPointF(rect.center().x() + 1.5, rect.center().y())
        circle = QRectF(centre.x() - 4, centre.y() - 4, 8, 8)
        painter.setPen(QPen(colour, 1.4))
        painter.setBrush(colour if support == "supported" else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(circle)
        if support == "weak":
            painter.setBrush(colour)
            painter.drawPie(circle, 90 * 16, 180 * 16)
