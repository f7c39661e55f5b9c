"""The values that were found, by type, with ticks: the doubtful first."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QTreeView, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.review.decisions import Decisions, Span
from desktop_rag.gui.review.value_row import LABEL, SPAN, SPANS, ValueRow
from desktop_rag.gui.theme import Theme

_SMALL = 80
_BOX = 30


class SpanTree(QTreeView):
    """Keys: j/k next and previous, space ticks, a ticks and n unticks every value that reads the same."""

    looked_at = Signal(object)
    decided = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._decisions: Decisions | None = None
        self._model = QStandardItemModel(self)
        self._items: dict[int, QStandardItem] = {}
        self._filling = False
        self._folds = False
        self.setModel(self._model)
        self.setHeaderHidden(True)
        self.setIndentation(0)
        self.setRootIsDecorated(False)
        self.setMouseTracking(True)
        self.setItemDelegate(ValueRow(theme, self))
        self.setEditTriggers(QTreeView.EditTrigger.NoEditTriggers)
        self.setAccessibleName("Values found, by type")
        self.setVerticalScrollMode(QTreeView.ScrollMode.ScrollPerPixel)
        self._model.itemChanged.connect(self._ticked)
        self.selectionModel().currentChanged.connect(self._moved)
        self.clicked.connect(self._fold)
        theme.changed.connect(self._repaint)

    def show_document(self, decisions: Decisions) -> None:
        """List another document's values."""
        self._decisions = decisions
        self._filling = True
        self._items.clear()
        self._model.removeRows(0, self._model.rowCount())
        for label, spans in decisions.groups():
            self._model.appendRow(self._group(label, spans))
        self._filling = False
        for row in range(self._model.rowCount()):
            spans = self._model.item(row).data(SPANS)
            replaced = any(span.default for span in spans)
            self.setExpanded(self._model.index(row, 0), row == 0 or (replaced and len(spans) < _SMALL))
        self._go(1)

    def _group(self, label: str, spans: list[Span]) -> QStandardItem:
        name = words.label_name(label) if label else "To check"
        head = QStandardItem(name)
        head.setCheckable(True)
        head.setData(spans, SPANS)
        head.setData(label, LABEL)
        head.setAccessibleText(f"{name}, {len(spans)} found")
        for span in spans:
            head.appendRow(self._row(span))
        self._mark_group(head)
        return head

    def _row(self, span: Span) -> QStandardItem:
        item = QStandardItem(" ".join(span.text.split()))
        item.setCheckable(True)
        item.setData(span, SPAN)
        item.setCheckState(_tick(span.replace))
        name = words.label_name(span.label)
        item.setAccessibleText(f"{span.text}, {name}, {'doubtful' if span.doubtful else 'found'}, {span.place}")
        item.setToolTip(f"{span.text}: {name}{'?' if span.doubtful else ''}")
        self._items[id(span)] = item
        return item

    def _mark_group(self, head: QStandardItem) -> None:
        ticks = [span.replace for span in head.data(SPANS)]
        state = _tick(all(ticks)) if all(ticks) or not any(ticks) else Qt.CheckState.PartiallyChecked
        head.setCheckState(state)

    # -- deciding ------------------------------------------------------------------------------

    def _ticked(self, item: QStandardItem) -> None:
        if self._filling or self._decisions is None:
            return
        replace = item.checkState() != Qt.CheckState.Unchecked
        span, spans = item.data(SPAN), item.data(SPANS)
        if span is not None or spans is not None:
            self._decisions.set([span] if span is not None else spans, replace)
            self._refresh()

    def _refresh(self) -> None:
        self._filling = True
        for item in self._items.values():
            item.setCheckState(_tick(item.data(SPAN).replace))
        for row in range(self._model.rowCount()):
            self._mark_group(self._model.item(row))
        self._filling = False
        self.decided.emit()

    def pick(self, span: Span) -> None:
        """Go to a value's row."""
        item = self._items.get(id(span))
        if item is not None:
            self.setCurrentIndex(item.index())
            self.scrollTo(item.index())

    @property
    def current(self) -> Span | None:
        """The value of the present row, None on a heading."""
        index = self.currentIndex().siblingAtColumn(0)
        span: Span | None = index.data(SPAN) if index.isValid() else None
        return span

    def _moved(self, _index: QModelIndex, _before: QModelIndex) -> None:
        self.looked_at.emit(self.current)

    def _go(self, step: int) -> None:
        order = list(self._items.values())
        if not order:
            return
        present = self._items.get(id(self.current)) if self.current else None
        place = order.index(present) + step if present is not None else 0
        target = order[max(0, min(place, len(order) - 1))].index()
        self.setCurrentIndex(target)
        self.scrollTo(target)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Handle the keys that are special here."""
        span = self.current
        text = event.text()
        if text == "j":
            self._go(1)
        elif text == "k":
            self._go(-1)
        elif text in ("a", "n") and span is not None and self._decisions is not None:
            self._decisions.set(self._decisions.same(span), text == "a")
            self._refresh()
        else:
            super().keyPressEvent(event)

    def _fold(self, index: QModelIndex) -> None:
        """A click on a type folds its values; a click on its box ticks them."""
        if index.data(SPANS) is not None and self._folds:
            self.setExpanded(index, not self.isExpanded(index))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Remember where the click began."""
        self._folds = event.position().x() > _BOX
        super().mousePressEvent(event)

    def _repaint(self) -> None:
        self.viewport().update()


def _tick(replace: bool) -> Qt.CheckState:
    return Qt.CheckState.Checked if replace else Qt.CheckState.Unchecked
