"""The Library page: the documents of one collection, with their states and what can be done to them."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QItemSelection, QModelIndex, QSortFilterProxyModel, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QInputDialog, QLineEdit, QListView, QStackedLayout, QVBoxLayout, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.library.document_model import DOCUMENT, DocumentModel
from desktop_rag.gui.library.document_row import DocumentRow, locked
from desktop_rag.gui.library.state import LibraryState
from desktop_rag.gui.pieces.buttons import IconButton, TextButton
from desktop_rag.gui.pieces.empty import EmptyState
from desktop_rag.gui.pieces.labels import ElidedLabel, label, line, set_kind
from desktop_rag.gui.pieces.notice import Notice
from desktop_rag.gui.theme import Theme


class LibraryPage(QWidget):
    """Shows the chosen collection, or all documents."""

    add_wanted = Signal()
    folder_wanted = Signal()
    document_opened = Signal(object)
    review_wanted = Signal(object)
    removal_wanted = Signal(list)
    password_given = Signal(object, str)
    collection_edited = Signal()
    collection_removed = Signal()

    def __init__(self, theme: Theme, library: LibraryState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_kind(self, "page")
        self._theme, self._library = theme, library
        self._title = ElidedLabel("Library", "title")
        self._about = label("", tone="muted", wrap=True)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter by name")
        self.filter.setAccessibleName("Filter documents by name")
        self.filter.setClearButtonEnabled(True)
        self.filter.setAcceptDrops(False)
        self.notice = Notice(theme, closable=True)
        self._model = DocumentModel(self)
        self._shown = QSortFilterProxyModel(self)
        self._shown.setSourceModel(self._model)
        self._shown.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.list = QListView()
        self._rows = DocumentRow(theme, self.list)
        self._remove = TextButton(theme, "Remove…", self._remove_chosen, icon="trash-2")
        self._edit = IconButton(theme, "pencil", "Edit collection…", self.collection_edited.emit)
        self._drop = IconButton(theme, "trash-2", "Delete collection…", self.collection_removed.emit)
        self._build()
        self._connect()
        self.refresh()

    def _build(self) -> None:
        self.list.setModel(self._shown)
        self.list.setItemDelegate(self._rows)
        self.list.setAccessibleName("Documents")
        self.list.setMouseTracking(True)
        self.list.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self._title)
        head.addWidget(self._edit)
        head.addWidget(self._drop)
        head.addStretch(1)
        head.addWidget(TextButton(self._theme, "Add a folder…", self.folder_wanted.emit, icon="folder-plus"))
        head.addSpacing(4)
        head.addWidget(
            TextButton(self._theme, "Add documents…", self.add_wanted.emit, kind="primary", icon="file-plus")
        )
        bar = QHBoxLayout()
        bar.setSpacing(8)
        bar.addWidget(self.filter, 1)
        bar.addWidget(self._remove)
        self._stack = QStackedLayout()
        self._empty = EmptyState(
            self._theme,
            "files",
            "No documents here yet",
            "Drop files or folders anywhere on this window. You review what is private before anything is indexed.",
            action="Add documents…",
            on_action=self.add_wanted.emit,
        )
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self.list)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 14, 20, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self._about)
        column.addWidget(self.notice)
        column.addLayout(bar)
        column.addWidget(line())
        column.addLayout(self._stack, 1)

    def _connect(self) -> None:
        library = self._library
        for signal in (library.collections_changed, library.documents_changed, library.chosen_changed):
            signal.connect(self.refresh)
        library.document_moved.connect(self._moved)
        self.filter.textChanged.connect(self._shown.setFilterFixedString)
        self.list.activated.connect(self._activate)
        self.list.doubleClicked.connect(self._activate)
        self.list.selectionModel().selectionChanged.connect(self._selected)
        self._rows.action.connect(self._act)
        self._theme.changed.connect(self.list.viewport().update)

    # -- content -------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what the library holds now."""
        chosen = self._library.chosen
        rows = self._library.documents(chosen)
        self._model.show_documents(rows)
        self._title.setText(str(chosen["name"]) if chosen else "All documents")
        self._edit.setVisible(chosen is not None)
        self._drop.setVisible(chosen is not None)
        self._say_about(chosen, rows)
        self._stack.setCurrentIndex(1 if rows else 0)
        self._selected()

    def _say_about(self, chosen: dict[str, Any] | None, rows: list[dict[str, Any]]) -> None:
        pages = sum(int(row.get("pages") or 0) for row in rows)
        private = sum(sum((row.get("pii") or {}).values()) for row in rows)
        parts = [words.plural(len(rows), "document")]
        if pages:
            parts.append(words.plural(pages, "page"))
        if private:
            parts.append(f"{words.count(private)} private values")
        if chosen:
            policy = str(chosen.get("policy") or "")
            parts.append(f"{words.policy_name(policy)}: {words.policy_text(policy).split('. ')[0].rstrip('.')}")
        self._about.setText(" · ".join(parts))

    def _moved(self, row: dict[str, Any]) -> None:
        self._model.update_document(row)

    def chosen_documents(self) -> list[dict[str, Any]]:
        """The selected rows."""
        return [index.data(DOCUMENT) for index in self.list.selectionModel().selectedIndexes()]

    # -- actions -------------------------------------------------------------------------------

    def _act(self, row: dict[str, Any]) -> None:
        if locked(row):
            self._ask_password(row)
        else:
            self.review_wanted.emit(row)

    def _activate(self, index: QModelIndex) -> None:
        row = index.data(DOCUMENT)
        if row.get("state") == "reviewing":
            self.review_wanted.emit(row)
        elif row.get("state") in ("ready", "partly_read"):
            self.document_opened.emit(row)
        elif locked(row):
            self._ask_password(row)

    def _ask_password(self, row: dict[str, Any]) -> None:
        """A small dialog: what is typed goes to the library for this run and is kept nowhere."""
        question = f"Password of {words.file_name(row.get('name'))}"
        password, given = QInputDialog.getText(self, "Encrypted document", question, QLineEdit.EchoMode.Password)
        if given and password:
            self.password_given.emit(row, password)

    def _selected(self, _on: QItemSelection | None = None, _off: QItemSelection | None = None) -> None:
        chosen = len(self.list.selectionModel().selectedIndexes())
        self._remove.setEnabled(chosen > 0)
        self._remove.say(f"Remove {chosen}…" if chosen > 1 else "Remove…")

    def _remove_chosen(self) -> None:
        if chosen := self.chosen_documents():
            self.removal_wanted.emit(chosen)
