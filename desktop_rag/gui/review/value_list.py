"""The values that were found, by type, with ticks and what stands around them: the doubtful first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QListView, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.review.decisions import Span
from desktop_rag.gui.review.entries import Entry, Heading, Row
from desktop_rag.gui.review.value_row import ROW, ValueRow
from desktop_rag.gui.theme import Theme
from desktop_rag.gui.visible import tip

_BOX = 30
_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_ROLE = Qt.ItemDataRole


class ValueModel(QAbstractListModel):
    """Headings and, below those that are open, their values. Ticking a row emits `ticked(row, replace)`."""

    ticked = Signal(object, bool)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._headings: list[Heading] = []
        self.rows: list[Row] = []

    def show(self, headings: Iterable[Heading], *, folded_as_before: bool) -> None:
        """List other values."""
        before = {heading.label: heading.opened for heading in self._headings} if folded_as_before else {}
        self.beginResetModel()
        self._headings = list(headings)
        for heading in self._headings:
            heading.opened = before.get(heading.label, heading.opened)
        self._lay_out()
        self.endResetModel()

    def fold(self, heading: Heading) -> None:
        """Open or close a type."""
        self.layoutAboutToBeChanged.emit()
        heading.opened = not heading.opened
        self._lay_out()
        self.layoutChanged.emit()

    def refresh(self) -> None:
        """What is ticked may have changed anywhere."""
        if self.rows:
            self.dataChanged.emit(self.index(0), self.index(len(self.rows) - 1))

    def entries(self) -> list[Entry]:
        """The values in their order, those of closed types too."""
        return [entry for heading in self._headings for entry in heading.entries]

    def reveal(self, entry: Entry) -> QModelIndex:
        """The row of a value; its type is opened."""
        heading = next((each for each in self._headings if entry in each.entries), None)
        if heading is not None and not heading.opened:
            self.fold(heading)
        return self.index(self.rows.index(entry)) if entry in self.rows else QModelIndex()

    def _lay_out(self) -> None:
        self.rows = []
        for heading in self._headings:
            self.rows.append(heading)
            if heading.opened:
                self.rows += heading.entries

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        """See Qt."""
        return 0 if parent.isValid() else len(self.rows)

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """See Qt."""
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable

    def data(self, index: _Index, role: int = _ROLE.DisplayRole) -> Any:
        """See Qt; `ROW` is the heading or value itself."""
        row = self.rows[index.row()]
        if role == ROW:
            return row
        if role == _ROLE.CheckStateRole:
            return _state(row)
        if role == _ROLE.DisplayRole:
            return row.name if isinstance(row, Heading) else " ".join(row.span.text.split())
        if role == _ROLE.AccessibleTextRole:
            return spoken(row)
        if role == _ROLE.ToolTipRole and isinstance(row, Entry):
            span = row.span
            around = f"…{' '.join((span.before + span.text + span.after).split())}…"
            return tip("\n".join(filter(None, (becomes(row), around))))
        return None

    def setData(self, index: _Index, value: Any, role: int = _ROLE.EditRole) -> bool:
        """See Qt."""
        if role != _ROLE.CheckStateRole:
            return False
        self.ticked.emit(self.rows[index.row()], Qt.CheckState(value) != Qt.CheckState.Unchecked)
        return True


def becomes(entry: Entry) -> str:
    """What a value becomes, in a sentence; "" where there is no telling."""
    text, settled = entry.stand_in
    return f"It will read {text}." if settled else f"{text.capitalize()} will stand for it." if text else ""


def spoken(row: Row) -> str:
    """A row for a screen reader."""
    if isinstance(row, Heading):
        return f"{row.name}, {len(row.entries)} found, {'open' if row.opened else 'closed'}"
    span = row.span
    kind = f"{words.label_name(span.label)}, {'doubtful' if row.is_doubtful else 'found'}"
    fate = "replaced" if row.replaced == len(row.places) else "kept" if not row.replaced else "partly replaced"
    return ", ".join(filter(None, (span.text, kind, fate, row.stand_in[0], row.note)))


def _state(row: Row) -> Qt.CheckState:
    places = row.places
    replaced = sum(span.replace for _, span in places)
    if replaced in (0, len(places)):
        return Qt.CheckState.Checked if replaced else Qt.CheckState.Unchecked
    return Qt.CheckState.PartiallyChecked


class ValueList(QListView):
    """Keys: j and k next and previous, space ticks, Enter opens; other letters are told by `key`.

    `looked_at(entry)`, None on a heading; `ticked(row, replace)`; `opened(entry)`; `menu_wanted(entry, place)`.
    """

    looked_at = Signal(object)
    ticked = Signal(object, bool)
    opened = Signal(object)
    key = Signal(str, object)
    menu_wanted = Signal(object, QPoint)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = ValueModel(self)
        self._folds = False
        self.setModel(self._model)
        self.setMouseTracking(True)
        self.setItemDelegate(ValueRow(theme, self))
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setAccessibleName("Values found, by type")
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._menu)
        self._model.ticked.connect(self.ticked)
        self.selectionModel().currentChanged.connect(lambda _new, _old: self.looked_at.emit(self.entry))
        self.clicked.connect(self._fold)
        self.doubleClicked.connect(lambda _index: self._open())
        theme.changed.connect(self.viewport().update)

    def show_values(
        self, headings: Iterable[Heading], span: Span | None = None, *, folded_as_before: bool = False
    ) -> None:
        """List values and go to the one of `span`, or to the first; types stay open and closed if asked to."""
        self._model.show(headings, folded_as_before=folded_as_before)
        entry = self._of(span) if span else None
        if entry is not None or self._model.entries():
            self._go_to(entry or self._model.entries()[0])
        else:
            self.looked_at.emit(None)

    def refresh(self) -> None:
        """Ticks may have changed."""
        self._model.refresh()

    def pick(self, span: Span) -> None:
        """Go to a value's row."""
        entry = self._of(span)
        if entry is not None:
            self._go_to(entry)

    @property
    def entry(self) -> Entry | None:
        """The value of the present row, None on a heading."""
        row = self.currentIndex().data(ROW) if self.currentIndex().isValid() else None
        return row if isinstance(row, Entry) else None

    @property
    def current(self) -> Span | None:
        """The first place of the present value."""
        return self.entry.span if self.entry is not None else None

    def _of(self, span: Span) -> Entry | None:
        return next((entry for entry in self._model.entries() if any(span is each for _, each in entry.places)), None)

    def _go_to(self, entry: Entry) -> None:
        index = self._model.reveal(entry)
        if index.isValid():
            self.setCurrentIndex(index)
            self.scrollTo(index)

    def _go(self, step: int) -> None:
        rows = self._model.rows
        at = self.currentIndex().row() + step
        while 0 <= at < len(rows) and not isinstance(rows[at], Entry):
            row = rows[at]
            if isinstance(row, Heading) and not row.opened and step > 0:
                # Who goes on with the keyboard looks at everything.
                self._model.fold(row)
                rows = self._model.rows
            at += step
        if 0 <= at < len(rows):
            self.setCurrentIndex(self._model.index(at))
            self.scrollTo(self.currentIndex())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Handle the keys that are special here."""
        text, key = event.text(), event.key()
        row = self.currentIndex().data(ROW) if self.currentIndex().isValid() else None
        if text in ("j", "k"):
            self._go(1 if text == "j" else -1)
        elif isinstance(row, Heading) and key in (Qt.Key.Key_Return, Qt.Key.Key_Left, Qt.Key.Key_Right):
            if key == Qt.Key.Key_Return or row.opened == (key == Qt.Key.Key_Left):
                self._model.fold(row)
        elif isinstance(row, Entry) and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.opened.emit(row)
        elif isinstance(row, Entry) and text in ("a", "n"):
            self.key.emit(text, row)
        elif text != "m":
            super().keyPressEvent(event)
        else:
            event.ignore()

    def _open(self) -> None:
        if self.entry is not None:
            self.opened.emit(self.entry)

    def _menu(self, place: QPoint) -> None:
        # The menu key asks for the middle of the view: the row it is about is the present one.
        index = self.indexAt(place)
        row = (index if index.isValid() else self.currentIndex()).data(ROW)
        if isinstance(row, Entry):
            self.menu_wanted.emit(row, self.viewport().mapToGlobal(place))

    def _fold(self, index: QModelIndex) -> None:
        """A click on a type folds its values; a click on its box ticks them."""
        row = index.data(ROW)
        if isinstance(row, Heading) and self._folds:
            self._model.fold(row)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Remember where the click began."""
        self._folds = event.position().x() > _BOX
        super().mousePressEvent(event)
