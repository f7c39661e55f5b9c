"""A value among the words around it, on one line: as much of them as there is room for, and always the value."""

from __future__ import annotations

import re

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter

from desktop_rag.gui.review.decisions import Span
from desktop_rag.gui.theme import Theme

_SPACE = re.compile(r"\s+")
_MIDDLE = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft


def paint_context(painter: QPainter, area: QRect, theme: Theme, span: Span) -> None:
    """Draw a value in its context; the value itself stands out a little."""
    painter.setFont(theme.font("small"))
    metrics = painter.fontMetrics()
    value = metrics.elidedText(" ".join(span.text.split()), Qt.TextElideMode.ElideMiddle, area.width() // 2)
    taken = metrics.horizontalAdvance(value)
    side = (area.width() - taken) // 2
    before = metrics.elidedText(_words(span.before), Qt.TextElideMode.ElideLeft, side)
    left = metrics.horizontalAdvance(before)
    after = metrics.elidedText(_words(span.after), Qt.TextElideMode.ElideRight, area.width() - taken - left)
    at = area.left()
    for text, role in ((before, "muted"), (value, "text"), (after, "muted")):
        painter.setPen(theme.colour(role))
        painter.drawText(QRect(at, area.top(), area.right() - at + 2, area.height()), _MIDDLE, text)
        at += metrics.horizontalAdvance(text)


def _words(text: str) -> str:
    """On one line; what stands right beside the value stays there."""
    return _SPACE.sub(" ", text)
