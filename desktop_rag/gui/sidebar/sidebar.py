"""The sidebar at the left, 240 px: finding and starting conversations, choosing a collection, going to a page."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLineEdit, QMenu, QVBoxLayout, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.pieces.buttons import IconButton, TextButton
from desktop_rag.gui.pieces.labels import label, line, set_kind
from desktop_rag.gui.sidebar.nav_list import NavList, Row
from desktop_rag.gui.theme import Theme

PAGES = (
    ("library", "Library", "library"),
    ("models", "Models", "cpu"),
    ("bench", "Benchmark", "chart-column"),
    ("privacy", "Privacy", "shield-check"),
    ("settings", "Settings", "settings"),
)
ALL = "all"
_MOST_COLLECTIONS = 190


class Sidebar(QWidget):
    """Tells what was chosen; holds no state but the search text."""

    new_wanted = Signal()
    conversation_chosen = Signal(object)
    conversation_renamed = Signal(object)
    conversation_deleted = Signal(object)
    collection_chosen = Signal(object)
    collection_wanted = Signal()
    page_chosen = Signal(object)
    lock_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_kind(self, "surface")
        self.setFixedWidth(theme.tokens.size["sidebar"])
        self._theme = theme
        self._conversations: list[dict[str, Any]] = []
        self._open: str | None = None
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search conversations")
        self.search.setAccessibleName("Search conversations")
        self.search.setClearButtonEnabled(True)
        self.search.setAcceptDrops(False)
        self._glass = self.search.addAction(theme.icon("search"), QLineEdit.ActionPosition.LeadingPosition)
        theme.changed.connect(self._recolour)
        self.new = TextButton(theme, "New chat", self.new_wanted.emit, kind="row", icon="square-pen", role="accent")
        self.chats = NavList(theme, "Conversations")
        self.collections = NavList(theme, "Collections")
        self._none = label("Your conversations will be listed here.", "small", "muted", wrap=True)
        self._group = QButtonGroup(self)
        self._group.setExclusive(False)
        self._pages: dict[str, TextButton] = {}
        self._build(theme)
        self.search.textChanged.connect(self._list)
        self.chats.chosen.connect(self.conversation_chosen)
        self.chats.menu_wanted.connect(self._menu)
        self.collections.chosen.connect(self.collection_chosen)

    def _build(self, theme: Theme) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 12, 10, 8)
        column.setSpacing(4)
        column.addWidget(self.search)
        column.addWidget(self.new)
        column.addWidget(self._none)
        column.addWidget(self.chats, 1)
        head = QHBoxLayout()
        head.setContentsMargins(8, 4, 2, 0)
        title = label("Collections", "small", "muted")
        font = theme.font("small", weight=600)
        title.setFont(font)
        head.addWidget(title, 1)
        head.addWidget(IconButton(theme, "plus", "New collection…", self.collection_wanted.emit))
        column.addLayout(head)
        column.addWidget(self.collections)
        column.addWidget(line())
        for key, name, icon in PAGES:
            button = TextButton(theme, name, kind="row", icon=icon)
            button.setCheckable(True)
            button.clicked.connect(lambda _checked=False, page=key: self.page_chosen.emit(page))
            self._pages[key] = button
            column.addWidget(button)
        # Beside the last page: at the least height of the window there is no room for another line.
        self.lock = IconButton(theme, "lock", "Lock the library (Ctrl+Shift+L)", self.lock_wanted.emit)
        last = QHBoxLayout()
        last.setSpacing(4)
        last.addWidget(button, 1)
        last.addWidget(self.lock)
        column.addLayout(last)

    def _recolour(self) -> None:
        self._glass.setIcon(self._theme.icon("search"))

    # -- content -------------------------------------------------------------------------------

    def show_conversations(self, conversations: list[dict[str, Any]]) -> None:
        """List conversations, newest first."""
        self._conversations = conversations
        self._list()

    def show_collections(self, collections: list[dict[str, Any]], chosen: object) -> None:
        """List collections with the number of their documents; `ALL` stands for every one of them.

        While one is encoded anew it is told how far that is.
        """
        rows = [
            Row(row["id"], str(row["name"]), _count(row), "folder-sync" if words.encoding(row) else "folder")
            for row in collections
        ]
        if len(collections) > 1:
            everything = sum(int(row.get("documents") or 0) for row in collections)
            rows.insert(0, Row(ALL, "All collections", words.count(everything), "library"))
        self.collections.show_rows(rows, chosen)
        self.collections.setFixedHeight(min(_MOST_COLLECTIONS, max(36, self.collections.height_of_rows())))

    def mark(self, page: str, conversation: str | None) -> None:
        """Mark the page that is open, and the conversation on the chat page."""
        self._open = conversation
        for key, button in self._pages.items():
            button.setChecked(key == page)
        self.chats.mark(conversation if page == "chat" else None)

    def _list(self) -> None:
        wanted = self.search.text().strip().casefold()
        rows: list[Row] = []
        heading = ""
        for conversation in self._conversations:
            title = str(conversation.get("title") or "Untitled")
            if wanted and wanted not in title.casefold():
                continue
            day = words.day(conversation.get("updated"))
            if day != heading:
                heading = day
                rows.append(Row(None, day))
            rows.append(Row(str(conversation["id"]), title))
        self.chats.show_rows(rows, self._open)
        nothing = (
            "No conversation has these words in its title." if wanted else "Your conversations will be listed here."
        )
        self._none.setText(nothing)
        self._none.setContentsMargins(8, 6, 8, 6)
        self._none.setVisible(not rows)

    def _menu(self, key: str, position: Any) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Rename…").triggered.connect(lambda: self.conversation_renamed.emit(key))
        menu.addAction("Delete…").triggered.connect(lambda: self.conversation_deleted.emit(key))
        menu.popup(position)


def _count(collection: dict[str, Any]) -> str:
    number = words.count(int(collection.get("documents") or 0))
    share = words.encoding(collection)
    return f"{share} · {number}" if share else number
