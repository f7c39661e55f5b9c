"""The Library page: the documents of one collection, with their states and what can be done to them."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QItemSelection, QItemSelectionModel, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QListView, QStackedLayout, QVBoxLayout, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.library import listing, selection
from desktop_rag.gui.library.document_model import DOCUMENT, DocumentModel
from desktop_rag.gui.library.document_row import SHOW_FILE, DocumentRow, offer
from desktop_rag.gui.library.filters import StateFilters
from desktop_rag.gui.library.folders import Folders
from desktop_rag.gui.library.folders_panel import FoldersPanel
from desktop_rag.gui.library.selection import Selection
from desktop_rag.gui.library.state import LibraryState
from desktop_rag.gui.library.throttle import Throttle
from desktop_rag.gui.pieces.buttons import IconButton, TextButton
from desktop_rag.gui.pieces.confirm import Confirm
from desktop_rag.gui.pieces.empty import EmptyState
from desktop_rag.gui.pieces.labels import ElidedLabel, label, line, set_kind
from desktop_rag.gui.pieces.notice import Notice
from desktop_rag.gui.theme import Theme

# Above this many rows the list is made anew only so often while documents come in.
_MANY, _PAUSE_MS = 200, 250
_NARROW = 620
_ADD_FOLDER = "Add a folder…"


class LibraryPage(QWidget):
    """Shows the chosen collection, or all documents."""

    add_wanted = Signal()
    folder_wanted = Signal()
    document_opened = Signal(object)
    review_wanted = Signal(object)
    removal_wanted = Signal(list)
    retry_wanted = Signal(list)
    place_wanted = Signal(object)
    password_given = Signal(object, str)
    collection_edited = Signal()
    collection_removed = Signal()
    export_wanted = Signal()

    def __init__(self, theme: Theme, library: LibraryState, folders: Folders, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_kind(self, "page")
        self._theme, self._library = theme, library
        self._title = ElidedLabel("Library", "title")
        self.about = label("", tone="muted", wrap=True)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter by name")
        self.filter.setAccessibleName("Filter documents by name")
        self.filter.setClearButtonEnabled(True)
        self.filter.setAcceptDrops(False)
        self.states = StateFilters(theme)
        self.notice = Notice(theme, closable=True)
        self.folders = FoldersPanel(theme, library, folders)
        self._model = DocumentModel(self._container, self)
        self.list = QListView()
        self._rows = DocumentRow(theme, self.list)
        self.selection = Selection(theme, self.list)
        self._add_folder = TextButton(theme, _ADD_FOLDER, self.folder_wanted.emit, icon="folder-plus")
        self._add_folder.setToolTip(_ADD_FOLDER)
        self._edit = IconButton(theme, "pencil", "Edit collection…", self.collection_edited.emit)
        self._drop = IconButton(theme, "trash-2", "Delete collection…", self.collection_removed.emit)
        self._export = IconButton(theme, "upload", "Export collection…", self.export_wanted.emit)
        self._throttle = Throttle(self, self.refresh, _PAUSE_MS)
        self._build()
        self._connect()
        self.refresh()

    def _build(self) -> None:
        self.list.setModel(self._model)
        self.list.setItemDelegate(self._rows)
        self.list.setAccessibleName("Documents")
        self.list.setMouseTracking(True)
        self.list.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        # With it, the rows are laid out anew when the width changes: what a row explains may take two lines.
        self.list.setWordWrap(True)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self._title)
        head.addWidget(self._edit)
        head.addWidget(self._export)
        head.addWidget(self._drop)
        head.addStretch(1)
        head.addWidget(self._add_folder)
        head.addSpacing(4)
        head.addWidget(
            TextButton(self._theme, "Add documents…", self.add_wanted.emit, kind="primary", icon="file-plus")
        )
        bar = QHBoxLayout()
        bar.setSpacing(8)
        bar.addWidget(self.filter, 1)
        bar.addWidget(self.selection.bar)
        self._stack = QStackedLayout()
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 14, 20, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.about)
        column.addWidget(self.notice)
        column.addWidget(self.folders)
        column.addWidget(self.states)
        column.addLayout(bar)
        column.addWidget(line())
        column.addLayout(self._stack, 1)
        self._add_empty_states()

    def _add_empty_states(self) -> None:
        self._empty = EmptyState(
            self._theme,
            "files",
            "No documents here yet",
            "Drop files or folders anywhere on this window. You review what is private before anything is indexed.",
            action="Add documents…",
            on_action=self.add_wanted.emit,
        )
        self._none = EmptyState(
            self._theme,
            "search-x",
            "Nothing here has this state or name",
            "The documents are still there: other filters show them.",
            action="Show all",
            on_action=self._show_all,
        )
        for part in (self._empty, self.list, self._none):
            self._stack.addWidget(part)

    def _connect(self) -> None:
        library = self._library
        for signal in (library.collections_changed, library.chosen_changed):
            signal.connect(self._throttle.now)
        library.encoding_changed.connect(self._throttle.ask)
        library.documents_changed.connect(self._changed)
        library.document_moved.connect(self._moved)
        self.filter.textChanged.connect(self._throttle.now)
        self.states.chosen.connect(self._throttle.now)
        self.list.activated.connect(lambda index: self._open(index.data(DOCUMENT)))
        self.list.selectionModel().selectionChanged.connect(self._selected)
        self.selection.wanted.connect(self._wanted)
        self._rows.action.connect(self._act)
        self._theme.changed.connect(self.list.viewport().update)

    # -- content -------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what the library holds now."""
        chosen = self._library.chosen
        rows = self._library.documents(chosen)
        numbers = listing.count(rows)
        self._title.setText(str(chosen["name"]) if chosen else "All documents")
        self._edit.setVisible(chosen is not None)
        self._drop.setVisible(chosen is not None)
        self._export.setVisible(chosen is not None)
        self._say_about(chosen, rows)
        self.states.show_numbers(numbers)
        for part in (self.states, self.filter, self.selection.bar):
            part.setVisible(bool(rows))
        entries = listing.shown(rows, self.states.group, self.filter.text())
        self._list(entries, collections=chosen is None and len(self._library.collections) > 1)
        self._stack.setCurrentWidget(self.list if entries else self._none if rows else self._empty)

    def set_paused(self, paused: bool) -> None:
        """Whether what is in work waits for a person."""
        self._model.set_paused(paused)

    def _list(self, entries: list[listing.Entry], *, collections: bool) -> None:
        """Replace the rows, but let the user's selection and place be."""
        chosen = [str(row["id"]) for row in self.chosen_documents()]
        current = self.list.currentIndex().data(DOCUMENT)
        top = self.list.verticalScrollBar().value()
        if self._model.show_documents(entries, collections=collections):
            select = QItemSelectionModel.SelectionFlag.Select
            for place in (self._model.place(identifier) for identifier in chosen):
                if place is not None:
                    self.list.selectionModel().select(self._model.index(place), select)
            here = self._model.place(str(current["id"])) if current else None
            if here is not None:
                self.list.selectionModel().setCurrentIndex(
                    self._model.index(here), QItemSelectionModel.SelectionFlag.NoUpdate
                )
            self.list.verticalScrollBar().setValue(top)
        self._selected()

    def _say_about(self, chosen: dict[str, Any] | None, rows: list[dict[str, Any]]) -> None:
        parts, policy = listing.totals(rows), str((chosen or {}).get("policy") or "")
        if policy:
            parts.append(f"Policy: {words.policy_name(policy)}")
        if chosen and (share := words.encoding(chosen)):
            parts.append(f"Encoded anew with {chosen['next_encoder']['name']}: {share}")
        self.about.setText(" · ".join(parts))
        self.about.setToolTip(words.policy_text(policy))

    def _container(self, row: dict[str, Any]) -> str:
        parent = self._library.document(str(row.get("parent"))) if row.get("parent") is not None else None
        return str(parent.get("name") or "") if parent else ""

    def _changed(self) -> None:
        if self._model.rowCount() > _MANY:
            self._throttle.ask()
        else:
            self._throttle.now()

    def _moved(self, row: dict[str, Any]) -> None:
        self._model.update_document(row)
        if row.get("state") != "reading":  # while it is read, only its pages change
            self._changed()

    def _show_all(self) -> None:
        self.filter.clear()
        self.states.choose(listing.ALL)

    def chosen_documents(self) -> list[dict[str, Any]]:
        """The selected rows."""
        return [index.data(DOCUMENT) for index in self.list.selectionModel().selectedIndexes()]

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the content to the new size."""
        super().resizeEvent(event)
        narrow = self.width() < _NARROW
        self.selection.set_narrow(narrow)
        self._add_folder.setText("" if narrow else _ADD_FOLDER)

    # -- actions -------------------------------------------------------------------------------

    def _act(self, row: dict[str, Any]) -> None:
        if offer(row) == SHOW_FILE:
            self.place_wanted.emit(row)
        elif listing.group_of(row) == listing.FAILED:
            self.retry_wanted.emit([row])
        else:
            self._open(row)

    def _wanted(self, action: str, rows: list[dict[str, Any]]) -> None:
        if action == selection.OPEN:
            self._open(rows[0])
        elif action == selection.SHOW:
            self.place_wanted.emit(rows[0])
        else:
            (self.retry_wanted if action == selection.RETRY else self.removal_wanted).emit(rows)

    def _open(self, row: dict[str, Any]) -> None:
        if row.get("state") == "reviewing":
            self.review_wanted.emit(row)
        elif listing.locked(row):
            self._ask_password(row)
        elif row.get("state") in ("ready", "partly_read"):
            self.document_opened.emit(row)

    def _ask_password(self, row: dict[str, Any]) -> None:
        """What is typed goes to the library for this run and is kept nowhere."""
        Confirm(
            self._theme, self, f"Password of “{words.file_name(row.get('name'))}”",
            "It opens the file for reading now, and is not stored.", "Unlock",
            lambda password: self.password_given.emit(row, password) if password else None,
            danger=False, field="", password=True,
        ).open()  # fmt: skip

    def _selected(self, _on: QItemSelection | None = None, _off: QItemSelection | None = None) -> None:
        self.selection.show_rows(self.chosen_documents())
