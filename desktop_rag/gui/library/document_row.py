"""Paints a document's row: icon by type, name, facts, state word with its icon, what can be done, thin progress."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop_rag.gui import words
from desktop_rag.gui.library import listing
from desktop_rag.gui.library.document_model import DEPTH, DOCUMENT, FACTS, PAUSED
from desktop_rag.gui.theme import Theme

_TALL = 54
_LINE = 20
_LEFT, _RIGHT = 44, 16
_STATE_WIDTH = 108
_INDENT = 28
_Index = QModelIndex | QPersistentModelIndex
SHOW_FILE = "Show file"
_SHARES = {"waiting": 0.02, "reading": 0.05, "cleaning": 0.7, "indexing": 0.85}


class DocumentRow(QStyledItemDelegate):
    """`action(document)` when what a row offers is clicked: review it, unlock it, try again, show its file."""

    action = Signal(object)

    def __init__(self, theme: Theme, view: QAbstractItemView) -> None:
        super().__init__(view)
        self._theme, self._view = theme, view

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """The size that shows everything."""
        details = listing.details(index.data(DOCUMENT) or {})
        if not details:
            return QSize(200, _TALL)
        width = self._view.viewport().width() - _LEFT - _RIGHT - _INDENT * int(index.data(DEPTH))
        return QSize(200, _TALL + _LINE * len(self._wrapped(details, width)))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw a row."""
        area = QRect(option.rect).adjusted(0, 1, -4, -1)
        row: dict[str, Any] = index.data(DOCUMENT)
        paused = bool(index.data(PAUSED))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        inner = area.adjusted(_INDENT * int(index.data(DEPTH)), 0, 0, 0)
        self._paint_ground(painter, area, inner.left() + _LEFT, option.state, str(row.get("state")) in words.WORKING)
        icon = words.FORMAT_ICONS.get(_ending(row)) or words.FORMAT_ICONS.get(str(row.get("format")), "file")
        self._theme.icon(icon, "muted", 20).paint(painter, QRect(inner.left() + 12, inner.top() + 16, 20, 20))
        self._paint_words(painter, inner.adjusted(_LEFT, 0, 0, 0), row, index.data(FACTS)[1:])
        self._paint_state(painter, area, row, paused)
        self._paint_progress(painter, inner.adjusted(_LEFT, 0, -8, 0), row, paused)
        painter.restore()

    def _paint_ground(self, painter: QPainter, area: QRect, left: int, state: Any, working: bool) -> None:
        kit = self._theme.tokens
        selected, over = bool(state & QStyle.StateFlag.State_Selected), bool(state & QStyle.StateFlag.State_MouseOver)
        if selected or over:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(kit.selected if selected else kit.hover))
            painter.drawRoundedRect(area, 6, 6)
        elif not working:
            painter.fillRect(QRect(left, area.bottom() + 1, area.right() - left, 1), self._theme.colour("line"))
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(self._theme.colour("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 6, 6)

    def _paint_words(self, painter: QPainter, area: QRect, row: dict[str, Any], facts: list[str]) -> None:
        beside = area.width() - _STATE_WIDTH - 12
        lines = [(words.file_name(row.get("name")), "body", "text", 500, beside)]
        if facts:
            lines.append((" · ".join(facts), "small", "muted", 400, beside))
        role, width = "bad" if listing.group_of(row) == listing.FAILED else "warn", area.width() + 4 - _RIGHT
        lines += [(text, "small", role, 400, width) for text in self._wrapped(listing.details(row), width)]
        top = area.top() + 7
        for text, step, role, weight, width in lines:
            font = self._theme.font(step, weight=weight)
            painter.setFont(font)
            painter.setPen(self._theme.colour(role))
            shown = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, width)
            painter.drawText(QRect(area.left(), top, width, 19), Qt.AlignmentFlag.AlignVCenter, shown)
            top += _LINE

    def _wrapped(self, text: str, width: int) -> list[str]:
        """At most two lines; the rest is in the tooltip."""
        metrics = QFontMetrics(self._theme.font("small"))
        if not text or metrics.horizontalAdvance(text) <= width:
            return [text] if text else []
        words_, first = text.split(" "), 1
        while metrics.horizontalAdvance(" ".join(words_[: first + 1])) <= width:
            first += 1
        return [" ".join(words_[:first]), " ".join(words_[first:])]

    def _paint_state(self, painter: QPainter, area: QRect, row: dict[str, Any], paused: bool) -> None:
        look, offered = listing.look(row, paused=paused), offer(row)
        place = state_area(area)
        line = QRect(place.left(), area.top() + 7 if offered else area.top() + 17, place.width(), 19)
        self._theme.icon(look.icon, look.role).paint(painter, QRect(line.left(), line.center().y() - 7, 16, 16))
        painter.setFont(self._theme.font("small"))
        painter.setPen(self._theme.colour(look.role if row.get("state") != "ready" else "muted"))
        painter.drawText(line.adjusted(22, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, look.word)
        if offered:
            painter.setFont(self._theme.font("small", weight=600))
            painter.setPen(self._theme.colour("accent"))
            painter.drawText(line.adjusted(22, _LINE, 0, _LINE), Qt.AlignmentFlag.AlignVCenter, offered)

    def _paint_progress(self, painter: QPainter, area: QRect, row: dict[str, Any], paused: bool) -> None:
        state = str(row.get("state"))
        if state not in words.WORKING:
            return
        track = QRectF(area.left(), area.bottom() - 1, area.width(), 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("line"))
        painter.drawRoundedRect(track, 1, 1)
        painter.setBrush(self._theme.colour("muted" if paused else "accent"))
        painter.drawRoundedRect(QRectF(track.left(), track.top(), track.width() * share(row), 2), 1, 1)

    def editorEvent(self, event: QEvent, model: Any, option: QStyleOptionViewItem, index: _Index) -> bool:
        """Handle a click or a key on a row."""
        if isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonRelease:
            row = index.data(DOCUMENT) or {}
            if offer(row) and state_area(QRect(option.rect)).contains(event.position().toPoint()):
                self.action.emit(row)
                return True
        return super().editorEvent(event, model, option, index)


def offer(row: dict[str, Any]) -> str:
    """What a row asks its reader to do, or ""."""
    if listing.locked(row):
        return "Unlock…"
    if (row.get("error") or {}).get("code") == "unsupported":
        return SHOW_FILE  # another try would end the same way: it has to be saved as something else
    return {"reviewing": "Review…", "failed": "Try again"}.get(str(row.get("state")), "")


def share(row: dict[str, Any]) -> float:
    """How far a document in work is, 0..1: reading takes the first third, looking for private values the second."""
    state = str(row.get("state"))
    if state == "reading" and row.get("pages_to_check"):
        return 0.35 + 0.3 * min(1.0, float(row.get("pages_checked") or 0) / float(row["pages_to_check"]))
    if state == "reading" and row.get("pages"):
        return 0.05 + 0.3 * min(1.0, float(row.get("pages_read") or 0) / float(row["pages"]))
    return _SHARES.get(state, 1.0)


def state_area(area: QRect) -> QRect:
    """Where the state of a row stands, and what it offers."""
    return QRect(area.right() - _STATE_WIDTH, area.top(), _STATE_WIDTH, _TALL - 2)


def _ending(row: dict[str, Any]) -> str:
    return str(row.get("name") or "").rpartition(".")[2].lower()
