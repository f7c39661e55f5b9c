"""Paints the rows of the list of found values: a type with its count, or a value with its tick and place."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.pieces.controls import paint_tick
from desktop_rag.gui.private_text import readable
from desktop_rag.gui.review.decisions import Span
from desktop_rag.gui.theme import Theme

SPAN = int(Qt.ItemDataRole.UserRole) + 1
SPANS = int(Qt.ItemDataRole.UserRole) + 2
LABEL = int(Qt.ItemDataRole.UserRole) + 3
_GROUP, _ROW, _TICK = 32, 28, 16
_Index = QModelIndex | QPersistentModelIndex
_CHECK = int(Qt.ItemDataRole.CheckStateRole)


class ValueRow(QStyledItemDelegate):
    """Ticks by a click on the box or by the space bar."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """The size that shows everything."""
        return QSize(120, _ROW if index.data(SPAN) is not None else _GROUP)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw a row."""
        area = QRect(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter, area, option.state)
        state = Qt.CheckState(index.data(_CHECK))
        paint_tick(painter, QRectF(tick_area(area, index)), self._theme.tokens, state)
        span: Span | None = index.data(SPAN)
        if span is None:
            opened = bool(option.state & QStyle.StateFlag.State_Open)
            self._paint_group(painter, area, index, opened=opened)
        else:
            self._paint_value(painter, area, span)
        painter.restore()

    def _paint_ground(self, painter: QPainter, area: QRect, state: Any) -> None:
        kit = self._theme.tokens
        selected = bool(state & QStyle.StateFlag.State_Selected)
        if selected or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(kit.selected if selected else kit.hover))
            painter.drawRoundedRect(area.adjusted(0, 1, -2, -1), 6, 6)

    def _paint_group(self, painter: QPainter, area: QRect, index: _Index, *, opened: bool) -> None:
        label = str(index.data(LABEL) or "")
        icon, role = (words.label_icon(label), "muted") if label else ("triangle-alert", "warn")
        self._theme.icon(icon, role).paint(painter, QRect(area.left() + 32, area.center().y() - 7, 16, 16))
        painter.setFont(self._theme.font("body", weight=600))
        painter.setPen(self._theme.colour("text" if label else "warn"))
        painter.drawText(area.adjusted(56, 0, -40, 0), Qt.AlignmentFlag.AlignVCenter, str(index.data()))
        painter.setFont(self._theme.font("small", mono=True))
        painter.setPen(self._theme.colour("muted"))
        painter.drawText(area.adjusted(0, 0, -30, 0), _RIGHT, words.count(len(index.data(SPANS))))
        arrow = self._theme.icon("chevron-down" if opened else "chevron-right", "muted")
        arrow.paint(painter, QRect(area.right() - 24, area.center().y() - 7, 16, 16))

    def _paint_value(self, painter: QPainter, area: QRect, span: Span) -> None:
        after = f"{words.label_name(span.label)}?" if span.doubtful else span.place
        if span.replacement and not span.doubtful:
            after = readable(span.replacement)
        painter.setFont(self._theme.font("small"))
        painter.setPen(self._theme.colour("warn" if span.doubtful else "muted"))
        painter.drawText(area.adjusted(0, 0, -10, 0), _RIGHT, after)
        taken = painter.fontMetrics().horizontalAdvance(after) + 20
        painter.setFont(self._theme.font("body"))
        painter.setPen(self._theme.colour("private" if span.replace else "text"))
        room = area.adjusted(56, 0, -taken, 0)
        text = painter.fontMetrics().elidedText(" ".join(span.text.split()), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)

    def editorEvent(self, event: QEvent, model: Any, option: QStyleOptionViewItem, index: _Index) -> bool:
        """Handle a click or a key on a row."""
        pressed = isinstance(event, QKeyEvent) and event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Select)
        clicked = (
            isinstance(event, QMouseEvent)
            and event.type() == QEvent.Type.MouseButtonRelease
            and tick_area(QRect(option.rect), index).adjusted(-6, -6, 6, 6).contains(event.position().toPoint())
        )
        if not pressed and not clicked:
            return False
        ticked = Qt.CheckState(index.data(_CHECK)) == Qt.CheckState.Checked
        model.setData(index, (Qt.CheckState.Unchecked if ticked else Qt.CheckState.Checked).value, _CHECK)
        return True


def tick_area(area: QRect, index: _Index) -> QRect:
    """Where the tick box of a row is."""
    left = area.left() + (30 if index.data(SPAN) is not None else 8)
    return QRect(left, area.center().y() - _TICK // 2 + 1, _TICK, _TICK)


_RIGHT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
