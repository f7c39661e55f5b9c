"""The documents of one collection as a Qt model; the row painter and the screen reader read the same words."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from desktop_rag.gui import words

DOCUMENT = int(Qt.ItemDataRole.UserRole) + 1
_Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


class DocumentModel(QAbstractListModel):
    """Rows are the contract's DOC mappings."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[dict[str, Any]] = []

    def show_documents(self, rows: list[dict[str, Any]]) -> None:
        """Replace the rows; where only their content changed, the selection stays."""
        if [row["id"] for row in rows] == [row["id"] for row in self._rows]:
            self._rows = rows
            if rows:
                self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def update_document(self, row: dict[str, Any]) -> None:
        """A document that is already listed changed."""
        for number, present in enumerate(self._rows):
            if present["id"] == row["id"]:
                self._rows[number] = row
                self.dataChanged.emit(self.index(number), self.index(number))
                return

    def rowCount(self, parent: _Index = _ROOT) -> int:
        """How many documents there are."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: _Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """What a row says, for the eye and for a screen reader."""
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return str(row.get("name") or "")
        if role == DOCUMENT:
            return row
        if role == Qt.ItemDataRole.AccessibleTextRole:
            error = row.get("error") or {}
            return ", ".join(
                part for part in (str(row.get("name")), *facts(row), str(error.get("message") or "")) if part
            )
        if role == Qt.ItemDataRole.ToolTipRole:
            return str(row.get("path") or "")
        return None


def facts(row: dict[str, Any]) -> list[str]:
    """The short facts of a document in order: state, pages, what was found, language, size."""
    found = sum((row.get("pii") or {}).values())
    parts = [words.state_look(str(row.get("state"))).word, words.pages(row)]
    if found:
        parts.append(f"{words.count(found)} private")
    if row.get("language"):
        parts.append(str(row["language"]).upper())
    parts.append(words.size(row.get("size")))
    return [part for part in parts if part]
