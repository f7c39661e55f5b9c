"""Many documents at once: their values by type, equal ones together, where each stands, and the documents."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QListView,
    QSplitter,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from desktop_rag.gui import words
from desktop_rag.gui.pieces.labels import label, set_kind
from desktop_rag.gui.review.context_line import paint_context
from desktop_rag.gui.review.entries import Entry, headings
from desktop_rag.gui.review.session import Session
from desktop_rag.gui.review.value_list import ValueList
from desktop_rag.gui.theme import Theme
from desktop_rag.gui.visible import tip

_TARGET, _NOTE, _LINE = (int(Qt.ItemDataRole.UserRole) + number for number in (1, 2, 3))
_MOST_PLACES = 200
_HIGH = 46


class Overview(QWidget):
    """`opened(document, span or None)` when one document is wanted."""

    opened = Signal(str, object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.values = ValueList(theme)
        self.values.setAccessibleName("Values found in all documents, by type")
        self._about = label("", "small", "muted", wrap=True)
        self._where = label("", "heading", wrap=True)
        self.places = _TwoLines(theme, "Where the value stands")
        self.documents = _TwoLines(theme, "Documents under review")
        self._build()
        self.values.looked_at.connect(self._show_places)
        self.values.opened.connect(lambda entry: self.opened.emit(entry.document.document, entry.span))
        for view in (self.places, self.documents):
            view.activated.connect(lambda index: self.opened.emit(*index.data(_TARGET)))

    def _build(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(12, 10, 8, 8)
        column.setSpacing(6)
        column.addWidget(self._about)
        column.addWidget(self.values, 1)
        side = QWidget()
        set_kind(side, "surface")
        side.setMinimumWidth(300)
        column = QVBoxLayout(side)
        column.setContentsMargins(12, 10, 8, 8)
        column.setSpacing(6)
        column.addWidget(self._where)
        column.addWidget(self.places, 1)
        column.addWidget(label("Documents", "heading"))
        column.addWidget(self.documents, 1)
        split = QSplitter()
        split.setHandleWidth(1)
        split.setChildrenCollapsible(False)
        split.addWidget(left)
        split.addWidget(side)
        split.setStretchFactor(0, 1)
        split.setSizes([600, 400])
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(split)

    def show_session(self, session: Session, counted: dict[str, dict[str, int]]) -> None:
        """List what is known of the documents by now; who looked at a value goes on looking at it."""
        before = self.values.entry
        found = headings(session.spans(), together=True)
        same = (entry for heading in found for entry in heading.entries if before and _same(entry, before))
        kept = next(same, None)
        bar = self.values.verticalScrollBar()
        at = bar.value()
        self.values.show_values(found, kept.span if kept else None, folded_as_before=True)
        if kept is not None:
            bar.setValue(at)
        missing, total = len(session.missing), len(session.rows)
        self._about.setText(
            f"Reading {words.count(total - missing)} of {words.plural(total, 'document')}…"
            if missing
            else "Ticked values are replaced in every document. Decide once for each value, or open a document."
        )
        self._show_documents(session, counted)

    def refresh(self) -> None:
        """Decisions changed."""
        self.values.refresh()
        self._show_places(self.values.entry)

    def _show_places(self, entry: Entry | None) -> None:
        value = " ".join(entry.span.text.split()) if entry else ""
        self._where.setText(value if len(value) < _MOST_PLACES else f"{value[:_MOST_PLACES]}…")
        rows = []
        for decisions, span in entry.places[:_MOST_PLACES] if entry else ():
            around = " ".join(f"{span.before}{span.text}{span.after}".split())
            rows.append((decisions.name, f"{span.place}  {'replaced' if span.replace else 'kept'}", f"…{around}…",
                         (decisions.document, span)))  # fmt: skip
        self.places.show_rows(rows)

    def _show_documents(self, session: Session, counted: dict[str, dict[str, int]]) -> None:
        rows = []
        for row in session.rows:
            identity = str(row["id"])
            error = session.unreadable.get(identity)
            sums = counted.get(identity) or {}
            parts = [f"{words.count(sums.get('found', 0))} found"]
            parts += [f"{words.count(sums['doubtful'])} to check"] if sums.get("doubtful") else []
            parts += [f"{words.plural(sums['unread'], 'page')} not read"] if sums.get("unread") else []
            about = str(error["message"]) if error else " · ".join(parts)
            rows.append((str(row.get("name") or ""), words.policy_name(session.policy(identity)), about,
                         (identity, None)))  # fmt: skip
        self.documents.show_rows(rows)


def _same(entry: Entry, other: Entry) -> bool:
    return (entry.label, entry.span.key) == (other.label, other.span.key)


class _TwoLines(QListView):
    """Rows of a name with a note at the right, and a line about it."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self._items = QStandardItemModel(self)
        self.setModel(self._items)
        self.setItemDelegate(_TwoLinesRow(theme, self))
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setAccessibleName(name)

    def show_rows(self, rows: list[tuple[str, str, str, Any]]) -> None:
        """(name, note, line, target) each."""
        bar, row = self.verticalScrollBar(), self.currentIndex().row()
        at = bar.value()
        self._items.clear()
        for name, note, line, target in rows:
            item = QStandardItem(name)
            item.setData(note, _NOTE)
            item.setData(line, _LINE)
            item.setData(target, _TARGET)
            item.setAccessibleText(f"{name}, {note}, {line}")
            item.setToolTip(tip(line))
            self._items.appendRow(item)
        self.setCurrentIndex(self._items.index(row, 0))
        bar.setValue(at)


class _TwoLinesRow(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """The size that shows everything."""
        return QSize(120, _HIGH)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw a row."""
        kit = self._theme.tokens
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRect(option.rect)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(kit.selected if selected else kit.hover))
            painter.drawRoundedRect(area.adjusted(0, 1, -2, -1), 6, 6)
        first = QRect(area.left() + 8, area.top() + 5, area.width() - 18, 18)
        self._write(painter, first, str(index.data(_NOTE)), "small", "muted", Qt.AlignmentFlag.AlignRight)
        room = first.adjusted(0, 0, -painter.fontMetrics().horizontalAdvance(str(index.data(_NOTE))) - 12, 0)
        self._write(painter, room, str(index.data()), "body", "text", Qt.AlignmentFlag.AlignLeft)
        second = first.translated(0, 18)
        _document, span = index.data(_TARGET)
        if span is not None:
            paint_context(painter, second, self._theme, span)
        else:
            self._write(painter, second, str(index.data(_LINE)), "small", "muted", Qt.AlignmentFlag.AlignLeft)
        painter.restore()

    def _write(self, painter: QPainter, area: QRect, text: str, step: str, role: str, side: Qt.AlignmentFlag) -> None:
        painter.setFont(self._theme.font(step))
        painter.setPen(self._theme.colour(role))
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | side, shown)
