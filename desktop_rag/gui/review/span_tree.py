"""The values that were found, by type, with ticks: the doubtful first."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QHeaderView, QTreeView, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.private_text import readable
from desktop_rag.gui.review.decisions import Decisions, Span
from desktop_rag.gui.theme import Theme

_SPAN = int(Qt.ItemDataRole.UserRole) + 1
_SPANS = int(Qt.ItemDataRole.UserRole) + 2


class SpanTree(QTreeView):
    """Keys: j/k next and previous, space ticks, a ticks and n unticks every value that reads the same."""

    looked_at = Signal(object)
    decided = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._decisions: Decisions | None = None
        self._model = QStandardItemModel(0, 2, self)
        self._items: dict[int, QStandardItem] = {}
        self._filling = False
        self.setModel(self._model)
        self.setHeaderHidden(True)
        self.setIndentation(16)
        self.setRootIsDecorated(True)
        self.setUniformRowHeights(True)
        self.setIconSize(QSize(16, 16))
        self.setEditTriggers(QTreeView.EditTrigger.NoEditTriggers)
        self.setAccessibleName("Values found, by type")
        self.setVerticalScrollMode(QTreeView.ScrollMode.ScrollPerPixel)
        self.header().setStretchLastSection(False)
        self._model.itemChanged.connect(self._ticked)
        self.selectionModel().currentChanged.connect(self._moved)
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
        header = self.header()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        for row in range(self._model.rowCount()):
            self.setExpanded(self._model.index(row, 0), row == 0 or len(decisions.spans) < 60)
        self._go(1)

    def _group(self, label: str, spans: list[Span]) -> list[QStandardItem]:
        name = words.label_name(label) if label else "To check"
        head = QStandardItem(name)
        head.setIcon(self._theme.icon(words.label_icon(label) if label else "triangle-alert", "muted" if label else "warn"))
        head.setCheckable(True)
        head.setData(spans, _SPANS)
        head.setFont(self._theme.font("body", weight=600))
        head.setAccessibleText(f"{name}, {len(spans)} found")
        number = QStandardItem(words.count(len(spans)))
        number.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        number.setForeground(self._theme.colour("muted"))
        for span in spans:
            head.appendRow(self._row(span, bool(label)))
        self._mark_group(head)
        return [head, number]

    def _row(self, span: Span, known_type: bool) -> list[QStandardItem]:
        item = QStandardItem(" ".join(span.text.split()))
        item.setCheckable(True)
        item.setData(span, _SPAN)
        item.setCheckState(_tick(span.replace))
        becomes = readable(span.replacement) if span.replacement else words.label_name(span.label)
        item.setAccessibleText(f"{span.text}, {words.label_name(span.label)}, {'doubtful' if span.doubtful else 'found'}")
        item.setToolTip(f"{span.text} → {becomes}" if known_type else f"{span.text}: {words.label_name(span.label)}?")
        after = QStandardItem(becomes if known_type else f"{words.label_name(span.label)}?")
        after.setForeground(self._theme.colour("private" if known_type else "warn"))
        after.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._items[id(span)] = item
        return [item, after]

    def _mark_group(self, head: QStandardItem) -> None:
        ticks = [span.replace for span in head.data(_SPANS)]
        state = _tick(all(ticks)) if all(ticks) or not any(ticks) else Qt.CheckState.PartiallyChecked
        head.setCheckState(state)

    # -- deciding ------------------------------------------------------------------------------

    def _ticked(self, item: QStandardItem) -> None:
        if self._filling or self._decisions is None:
            return
        replace = item.checkState() != Qt.CheckState.Unchecked
        span, spans = item.data(_SPAN), item.data(_SPANS)
        if span is not None or spans is not None:
            self._decisions.set([span] if span is not None else spans, replace)
            self._refresh()

    def _refresh(self) -> None:
        self._filling = True
        for item in self._items.values():
            item.setCheckState(_tick(item.data(_SPAN).replace))
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
        span: Span | None = index.data(_SPAN) if index.isValid() else None
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

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: D102 - Qt
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

    def _repaint(self) -> None:
        if self._decisions is not None:
            self.show_document(self._decisions)


def _tick(replace: bool) -> Qt.CheckState:
    return Qt.CheckState.Checked if replace else Qt.CheckState.Unchecked
