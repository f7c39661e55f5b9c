"""Paints a document's row: icon by type, name, facts, state word with its icon, thin progress, cause of a failure."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QMouseEvent, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.library.document_model import DOCUMENT, facts
from desktop_rag.gui.theme import Theme

_TALL, _WITH_ERROR = 54, 76
_STATE_WIDTH = 108
_Index = QModelIndex | QPersistentModelIndex
_SHARES = {"waiting": 0.04, "reading": 0.3, "reviewing": 0.5, "cleaning": 0.7, "indexing": 0.85}


class DocumentRow(QStyledItemDelegate):
    """`action(document)` when the state of a row that waits for review is clicked."""

    action = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """The size that shows everything."""
        return QSize(200, _WITH_ERROR if (index.data(DOCUMENT) or {}).get("error") else _TALL)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw a row."""
        area = QRect(option.rect).adjusted(0, 1, -4, -1)
        state = option.state
        row: dict[str, Any] = index.data(DOCUMENT)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter, area, state, str(row.get("state")) in words.WORKING)
        icon = words.FORMAT_ICONS.get(str(row.get("format") or _ending(row)), "file")
        self._theme.icon(icon, "muted", 20).paint(painter, QRect(area.left() + 12, area.top() + 16, 20, 20))
        self._paint_words(painter, area.adjusted(44, 0, -_STATE_WIDTH - 12, 0), row)
        self._paint_state(painter, area, row)
        self._paint_progress(painter, area, row)
        painter.restore()

    def _paint_ground(self, painter: QPainter, area: QRect, state: Any, working: bool) -> None:
        kit = self._theme.tokens
        selected, over = bool(state & QStyle.StateFlag.State_Selected), bool(state & QStyle.StateFlag.State_MouseOver)
        if selected or over:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(kit.selected if selected else kit.hover))
            painter.drawRoundedRect(area, 6, 6)
        elif not working:
            painter.fillRect(
                QRect(area.left() + 44, area.bottom() + 1, area.width() - 44, 1), self._theme.colour("line")
            )

    def _paint_words(self, painter: QPainter, area: QRect, row: dict[str, Any]) -> None:
        error = row.get("error") or {}
        lines = [
            (words.file_name(row.get("name")), "body", "text", 500),
            (" · ".join(facts(row)[1:]), "small", "muted", 400),
        ]
        if error:
            sentence = " ".join(
                part for part in (str(error.get("message") or ""), str(error.get("hint") or "")) if part
            )
            lines.append((sentence, "small", "warn" if row.get("state") == "partly_read" else "bad", 400))
            area = area.adjusted(0, 0, _STATE_WIDTH, 0)
        top = area.top() + 8
        for number, (text, step, role, weight) in enumerate(lines):
            font = self._theme.font(step, weight=weight)
            painter.setFont(font)
            painter.setPen(self._theme.colour(role))
            width = area.width() - (_STATE_WIDTH if error and number < 2 else 0)
            shown = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, width)
            painter.drawText(QRect(area.left(), top, width, 19), Qt.AlignmentFlag.AlignVCenter, shown)
            top += 20

    def _paint_state(self, painter: QPainter, area: QRect, row: dict[str, Any]) -> None:
        look = words.LOCKED if locked(row) else words.state_look(str(row.get("state")))
        place = state_area(area)
        self._theme.icon(look.icon, look.role).paint(painter, QRect(place.left(), place.center().y() - 8, 16, 16))
        painter.setFont(self._theme.font("small", weight=600 if row.get("state") == "reviewing" else 400))
        painter.setPen(self._theme.colour(look.role if row.get("state") != "ready" else "muted"))
        painter.drawText(place.adjusted(22, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, look.word)

    def _paint_progress(self, painter: QPainter, area: QRect, row: dict[str, Any]) -> None:
        state = str(row.get("state"))
        if state not in words.WORKING:
            return
        share = _SHARES[state]
        if state == "reading" and row.get("pages"):
            share = 0.05 + 0.45 * (row.get("pages_read") or 0) / row["pages"]
        track = QRectF(area.left() + 44, area.bottom() - 1, area.width() - 52, 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("line"))
        painter.drawRoundedRect(track, 1, 1)
        painter.setBrush(self._theme.colour("accent"))
        painter.drawRoundedRect(QRectF(track.left(), track.top(), track.width() * share, 2), 1, 1)

    def editorEvent(self, event: QEvent, model: Any, option: QStyleOptionViewItem, index: _Index) -> bool:
        """Handle a click or a key on a row."""
        if isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonRelease:
            row = index.data(DOCUMENT) or {}
            area = QRect(option.rect)
            if (row.get("state") == "reviewing" or locked(row)) and state_area(area).contains(
                event.position().toPoint()
            ):
                self.action.emit(row)
                return True
        return super().editorEvent(event, model, option, index)


def locked(row: dict[str, Any]) -> bool:
    """Whether a document waits for its password."""
    return (row.get("error") or {}).get("code") == "encrypted"


def state_area(area: QRect) -> QRect:
    """Where the state of a row stands."""
    return QRect(area.right() - _STATE_WIDTH, area.top(), _STATE_WIDTH, _TALL - 2)


def _ending(row: dict[str, Any]) -> str:
    return str(row.get("name") or "").rpartition(".")[2].lower()
