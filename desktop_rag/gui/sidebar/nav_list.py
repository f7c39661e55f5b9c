"""A list of rows with headings, painted from the tokens: conversations by day, collections with counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from desktop_rag.gui.theme import Theme
from desktop_rag.gui.visible import tip

_KEY = int(Qt.ItemDataRole.UserRole) + 1
_COUNT = int(Qt.ItemDataRole.UserRole) + 2
_ICON = int(Qt.ItemDataRole.UserRole) + 3
_ROW, _HEADING = 30, 28


@dataclass(frozen=True, slots=True)
class Row:
    """One row; `key` None makes it a heading."""

    key: Any
    text: str
    count: str = ""
    icon: str = ""


class NavList(QListView):
    """`chosen(key)` when a row is activated; `menu_wanted(key, position)` for its actions."""

    chosen = Signal(object)
    menu_wanted = Signal(object, object)

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = QStandardItemModel(self)
        self.setModel(self._model)
        self._delegate = _RowPainter(theme, self)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName(name)
        self.setMouseTracking(True)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.clicked.connect(self._choose)
        self.activated.connect(self._choose)
        self.customContextMenuRequested.connect(self._menu)
        theme.watch(self._repaint)

    def show_rows(self, rows: list[Row], chosen: Any = None) -> None:
        """Replace the rows and mark one; rows that are there already only change, so that nobody loses their place."""
        items = [self._model.item(at) for at in range(self._model.rowCount())]
        if [item.data(_KEY) for item in items] != [row.key for row in rows]:
            self._model.clear()
            items = [QStandardItem() for _ in rows]
            for item in items:
                self._model.appendRow(item)
        for item, row in zip(items, rows, strict=True):
            item.setText(row.text)
            item.setData(row.key, _KEY)
            item.setData(row.count, _COUNT)
            item.setData(row.icon, _ICON)
            item.setToolTip(tip(row.text) if len(row.text) > 26 else "")
            item.setAccessibleText(f"{row.text}, {row.count}" if row.count else row.text)
            if row.key is None:
                item.setFlags(Qt.ItemFlag.NoItemFlags)
        self.mark(chosen)

    def mark(self, key: Any) -> None:
        """Mark a row as the one that is open, or none."""
        self.clearSelection()
        for number in range(self._model.rowCount()):
            index = self._model.index(number, 0)
            if key is not None and index.data(_KEY) == key:
                self.setCurrentIndex(index)
                return
        self.setCurrentIndex(QModelIndex())

    def height_of_rows(self) -> int:
        """The height that shows every row."""
        rows = (self._model.index(number, 0).data(_KEY) is None for number in range(self._model.rowCount()))
        return sum(_HEADING if heading else _ROW for heading in rows) + 6

    def _choose(self, index: QModelIndex) -> None:
        key = index.data(_KEY)
        if key is not None:
            self.chosen.emit(key)

    def _menu(self, position: Any) -> None:
        key = self.indexAt(position).data(_KEY)
        if key is not None:
            self.menu_wanted.emit(key, self.viewport().mapToGlobal(position))

    def _repaint(self) -> None:
        self.viewport().update()


class _RowPainter(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(60, _HEADING if index.data(_KEY) is None else _ROW)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        area: QRect = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if index.data(_KEY) is None:
            painter.setFont(self._theme.font("small", weight=600))
            painter.setPen(self._theme.colour("muted"))
            painter.drawText(area.adjusted(8, 6, -8, 0), Qt.AlignmentFlag.AlignVCenter, str(index.data()))
        else:
            self._paint_row(painter, area, option.state, index)
        painter.restore()

    def _paint_row(
        self, painter: QPainter, area: QRect, state: Any, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        kit = self._theme.tokens
        selected = bool(state & QStyle.StateFlag.State_Selected)
        if selected or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(kit.selected if selected else kit.hover))
            painter.drawRoundedRect(area.adjusted(0, 1, 0, -1), 6, 6)
        left = 8
        if icon := str(index.data(_ICON) or ""):
            self._theme.icon(icon, "accent" if selected else "muted").paint(
                painter, QRect(area.left() + 8, area.center().y() - 7, 16, 16)
            )
            left = 32
        count = str(index.data(_COUNT) or "")
        right = 8
        if count:
            painter.setFont(self._theme.font("small", mono=True))
            painter.setPen(self._theme.colour("muted"))
            painter.drawText(
                area.adjusted(0, 0, -8, 0), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, count
            )
            right = 16 + painter.fontMetrics().horizontalAdvance(count)
        painter.setFont(self._theme.font("body"))
        painter.setPen(self._theme.colour("text"))
        room = area.adjusted(left, 0, -right, 0)
        text = painter.fontMetrics().elidedText(str(index.data()), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)
