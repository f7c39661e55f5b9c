"""Paints the rows of the list of found values: a type with its count, or a value with its context."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.pieces.controls import paint_tick
from desktop_rag.gui.review.context_line import paint_context
from desktop_rag.gui.review.entries import Entry, Heading
from desktop_rag.gui.theme import Theme

ROW = int(Qt.ItemDataRole.UserRole) + 1
_GROUP, _ROW, _TICK = 32, 48, 16
_TEXT, _LINE = 56, 19
_LEAST_STAND_IN = 60
_Index = QModelIndex | QPersistentModelIndex
_CHECK = int(Qt.ItemDataRole.CheckStateRole)


class ValueRow(QStyledItemDelegate):
    """Ticks by a click on the box or by the space bar."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """The size that shows everything."""
        return QSize(120, _ROW if isinstance(index.data(ROW), Entry) else _GROUP)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw a row."""
        area = QRect(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter, area, option.state)
        state = Qt.CheckState(index.data(_CHECK))
        paint_tick(painter, QRectF(tick_area(area, index)), self._theme.tokens, state)
        row = index.data(ROW)
        if isinstance(row, Heading):
            self._paint_group(painter, area, row)
        else:
            self._paint_value(painter, area, row)
        painter.restore()

    def _paint_ground(self, painter: QPainter, area: QRect, state: Any) -> None:
        kit = self._theme.tokens
        selected = bool(state & QStyle.StateFlag.State_Selected)
        if selected or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(kit.selected if selected else kit.hover))
            painter.drawRoundedRect(area.adjusted(0, 1, -2, -1), 6, 6)

    def _paint_group(self, painter: QPainter, area: QRect, heading: Heading) -> None:
        label = heading.label
        icon, role = (words.label_icon(label), "muted") if label else ("triangle-alert", "warn")
        self._theme.icon(icon, role).paint(painter, QRect(area.left() + 32, area.center().y() - 7, 16, 16))
        painter.setFont(self._theme.font("body", weight=600))
        painter.setPen(self._theme.colour("text" if label else "warn"))
        painter.drawText(area.adjusted(56, 0, -40, 0), Qt.AlignmentFlag.AlignVCenter, heading.name)
        painter.setFont(self._theme.font("small", mono=True))
        painter.setPen(self._theme.colour("muted"))
        painter.drawText(area.adjusted(0, 0, -30, 0), _RIGHT, words.count(len(heading.entries)))
        arrow = self._theme.icon("chevron-down" if heading.opened else "chevron-right", "muted")
        arrow.paint(painter, QRect(area.right() - 24, area.center().y() - 7, 16, 16))

    def _paint_value(self, painter: QPainter, area: QRect, entry: Entry) -> None:
        span = entry.span
        first = QRect(area.left() + _TEXT, area.top() + 5, area.width() - _TEXT - 10, _LINE)
        painter.setFont(self._theme.font("small"))
        painter.setPen(self._theme.colour("warn" if span.doubtful and not span.rule else "muted"))
        painter.drawText(first, _RIGHT, entry.note)
        room = first.adjusted(0, 0, -painter.fontMetrics().horizontalAdvance(entry.note) - 12, 0)
        paint_context(painter, first.translated(0, _LINE), self._theme, span)
        painter.setFont(self._theme.font("body"))
        painter.setPen(self._theme.colour("private" if entry.replaced else "text"))
        self._paint_stand_in(painter, room, self._write(painter, room, " ".join(span.text.split())), entry)

    def _paint_stand_in(self, painter: QPainter, room: QRect, taken: int, entry: Entry) -> None:
        """What the value becomes, behind it; where there is no room for it the tooltip has it."""
        text, settled = entry.stand_in
        room = room.adjusted(taken + 6, 0, 0, 0)
        if text and room.width() > _LEAST_STAND_IN:
            painter.setPen(self._theme.colour("private" if settled else "muted"))
            painter.setFont(self._theme.font("small"))
            self._write(painter, room, f"→ {text}")

    def _write(self, painter: QPainter, room: QRect, text: str) -> int:
        """As much of a text as there is room for; returns how wide it got."""
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, shown)
        return painter.fontMetrics().horizontalAdvance(shown)

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
    is_value = isinstance(index.data(ROW), Entry)
    top = area.top() + 6 if is_value else area.center().y() - _TICK // 2 + 1
    return QRect(area.left() + (30 if is_value else 8), top, _TICK, _TICK)


_RIGHT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
