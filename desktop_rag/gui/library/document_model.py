"""The documents of one collection as a Qt model; the row painter and the screen reader read the same words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from desktop_rag.gui import words
from desktop_rag.gui.library import listing
from desktop_rag.gui.library.listing import Entry
from desktop_rag.gui.visible import tip

DOCUMENT = int(Qt.ItemDataRole.UserRole) + 1
DEPTH = DOCUMENT + 1
FACTS = DOCUMENT + 2
PAUSED = DOCUMENT + 3
_Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


class DocumentModel(QAbstractListModel):
    """Rows are the contract's DOC mappings; `container_of` names the document another one lies in."""

    def __init__(self, container_of: Callable[[dict[str, Any]], str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._container_of = container_of
        self._entries: list[Entry] = []
        self._places: dict[str, int] = {}
        self._collections = False
        self._paused = False

    def show_documents(self, entries: list[Entry], *, collections: bool) -> bool:
        """Replace the rows; returns whether others are listed now. Where only their content changed, nothing moves."""
        self._collections = collections
        if [entry.row["id"] for entry in entries] == [entry.row["id"] for entry in self._entries]:
            self._entries = entries
            self._all_changed()
            return False
        self.beginResetModel()
        self._entries = entries
        self._places = {str(entry.row["id"]): place for place, entry in enumerate(entries)}
        self.endResetModel()
        return True

    def update_document(self, row: dict[str, Any]) -> None:
        """A document that is already listed changed."""
        place = self._places.get(str(row["id"]))
        if place is not None:
            self._entries[place] = Entry(row, self._entries[place].depth)
            self.dataChanged.emit(self.index(place), self.index(place))

    def set_paused(self, paused: bool) -> None:
        """Whether what is in work waits for a person to go on."""
        if paused != self._paused:
            self._paused = paused
            self._all_changed()

    def place(self, identifier: str) -> int | None:
        """The row of a document."""
        return self._places.get(identifier)

    def rowCount(self, parent: _Index = _ROOT) -> int:
        """How many documents there are."""
        return 0 if parent.isValid() else len(self._entries)

    def data(self, index: _Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """What a row says, for the eye and for a screen reader."""
        if not index.isValid():
            return None
        entry = self._entries[index.row()]
        row = entry.row
        if role == DEPTH:
            return entry.depth
        if role == PAUSED:
            return self._paused
        return self._said(row, role)

    def _said(self, row: dict[str, Any], role: int) -> Any:
        details = listing.details(row)
        if role == Qt.ItemDataRole.DisplayRole:
            return str(row.get("name") or "")
        if role == DOCUMENT:
            return row
        if role == FACTS:
            return self._facts(row)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(part for part in (str(row.get("name")), *self._facts(row), details) if part)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip("\n".join(part for part in (words.file_name(row.get("path")), details) if part))
        return None

    def _facts(self, row: dict[str, Any]) -> list[str]:
        return listing.facts(row, container=self._container_of(row), collection=self._collections, paused=self._paused)

    def _all_changed(self) -> None:
        if self._entries:
            self.dataChanged.emit(self.index(0), self.index(len(self._entries) - 1))
