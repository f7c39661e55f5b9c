"""What can be done to the documents that are selected: the same actions as buttons, in the menu and by keyboard."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QListView, QMenu, QWidget

from desktop_rag.gui.library import listing
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.theme import Theme

OPEN, RETRY, SHOW, REMOVE = "open", "retry", "show", "remove"
_ACTIONS = {
    OPEN: ("Open", "eye", "Return"),
    RETRY: ("Try again", "refresh-cw", "Ctrl+R"),
    SHOW: ("Show in folder", "folder-open", "Ctrl+Shift+F"),
    REMOVE: ("Remove…", "trash-2", "Del"),
}
_OPENABLE = ("ready", "partly_read")


class Selection(QObject):
    """`wanted(action, documents)` for "open", "retry" (only those not read, or not wholly), "show" and "remove"."""

    wanted = Signal(str, list)

    def __init__(self, theme: Theme, view: QListView) -> None:
        super().__init__(view)
        self._view = view
        self._rows: list[dict[str, Any]] = []
        self.actions: dict[str, QAction] = {}
        self.buttons: dict[str, TextButton] = {}
        self.bar = QWidget()
        self._narrow = False
        row = QHBoxLayout(self.bar)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for name, (words, icon, keys) in _ACTIONS.items():
            action = QAction(words, view)
            action.setShortcut(QKeySequence(keys))
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            action.triggered.connect(lambda _checked=False, name=name: self._act(name))
            # Return is the list's own key for what is activated; two of them would do it twice.
            if name != OPEN:
                view.addAction(action)
            button = TextButton(theme, words, action.trigger, kind="quiet", icon=icon)
            self.actions[name], self.buttons[name] = action, button
            row.addWidget(button)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self._menu)
        self.show_rows([])

    def show_rows(self, rows: list[dict[str, Any]]) -> None:
        """These are selected now."""
        self._rows = rows
        failed = [row for row in rows if _may_be_read_again(row)]
        partly = bool(failed) and all(listing.group_of(row) == listing.PARTLY for row in failed)
        again = "Read" if partly else "Try"
        texts = {
            OPEN: open_word(rows),
            RETRY: f"{again} {len(failed)} again" if len(failed) > 1 else f"{again} again",
            SHOW: "Show in folder",
            REMOVE: f"Remove {len(rows)}…" if len(rows) > 1 else "Remove…",
        }
        able = {OPEN: bool(open_word(rows)), RETRY: bool(failed), SHOW: len(rows) == 1, REMOVE: bool(rows)}
        for name, action in self.actions.items():
            action.setText(texts[name] or "Open")
            action.setEnabled(able[name])
            button = self.buttons[name]
            button.say(action.text())
            button.setToolTip(f"{action.text()} ({action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)})")
            button.setEnabled(able[name])
            # What does not apply takes no room; removing stays, so that one can see that it is possible.
            button.setVisible(able[name] or name == REMOVE)
        self._fit()

    def set_narrow(self, narrow: bool) -> None:
        """Pictures only, where there is no room for words; the words stay in the tooltip and for a screen reader."""
        self._narrow = narrow
        self._fit()

    def act(self, name: str, row: dict[str, Any]) -> None:
        """Do something to one document, whatever is selected."""
        self.wanted.emit(name, [row])

    def _fit(self) -> None:
        for name, button in self.buttons.items():
            button.setText("" if self._narrow else self.actions[name].text())

    def _act(self, name: str) -> None:
        rows = [row for row in self._rows if name != RETRY or _may_be_read_again(row)]
        if rows:
            self.wanted.emit(name, rows)

    def _menu(self, position: QPoint) -> None:
        if not self._rows:
            return
        menu = QMenu(self._view)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for name in (OPEN, RETRY, SHOW):
            menu.addAction(self.actions[name])
        menu.addSeparator()
        menu.addAction(self.actions[REMOVE])
        menu.popup(self._view.viewport().mapToGlobal(position))


def open_word(rows: list[dict[str, Any]]) -> str:
    """What opening the selection is called, or "" where there is nothing to open."""
    if len(rows) != 1:
        return ""
    (row,) = rows
    if listing.locked(row):
        return "Unlock…"
    if row.get("state") == "reviewing":
        return "Review…"
    return "Open" if row.get("state") in _OPENABLE else ""


def _may_be_read_again(row: dict[str, Any]) -> bool:
    return listing.group_of(row) in (listing.FAILED, listing.PARTLY)
