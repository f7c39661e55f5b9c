"""The watched folders of a collection, above its documents: how each stands, what changed, and what can be done."""

from __future__ import annotations

import time
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLayout, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.library.folders import CHANGES, Folders, standing
from desktop_rag.gui.library.state import LibraryState
from desktop_rag.gui.pieces.buttons import IconButton, TextButton
from desktop_rag.gui.pieces.labels import ElidedLabel, IconLabel, label, set_tone
from desktop_rag.gui.theme import Theme
from desktop_rag.gui.visible import tip

MOST = 2
_LOG_ROWS, _LOG_ROW = 5, 22
_NARROW = 420


class FoldersPanel(QWidget):
    """Hidden while the chosen collection follows no folder."""

    def __init__(self, theme: Theme, library: LibraryState, folders: Folders, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._library, self._folders = theme, library, folders
        self.cards: dict[int, FolderCard] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        self._more = TextButton(theme, "", self._show_all, kind="link")
        self._column.addWidget(self._more, 0, Qt.AlignmentFlag.AlignLeft)
        self._all = False
        folders.changed.connect(self.refresh)
        library.chosen_changed.connect(self.refresh)
        library.collections_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show how the folders stand now."""
        rows = self._folders.of(self._library.chosen)
        shown = rows if self._all else rows[:MOST]
        for gone in set(self.cards) - {int(row["id"]) for row in shown}:
            card = self.cards.pop(gone)
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        for place, row in enumerate(shown):
            folder = int(row["id"])
            if folder not in self.cards:
                self.cards[folder] = FolderCard(self._theme, self._folders)
                self._column.insertWidget(place, self.cards[folder])
            self.cards[folder].show_folder(row)
        self._more.say(f"Show {words.plural(len(rows) - len(shown), 'more folder')}")
        self._more.setVisible(len(rows) > len(shown))
        self.setVisible(bool(rows))

    def _show_all(self) -> None:
        self._all = True
        self.refresh()


class FolderCard(QFrame):
    """One watched folder."""

    def __init__(self, theme: Theme, folders: Folders, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "soft")
        self._theme, self._folders = theme, folders
        self._row: dict[str, Any] = {}
        self._icon = IconLabel(theme, "folder-sync", "accent")
        self.path = ElidedLabel("")
        self.path.mode = Qt.TextElideMode.ElideMiddle
        self.standing = label("", "small", "muted", wrap=True)
        self.changes = TextButton(theme, "Changes", self._toggle, kind="quiet", icon="history")
        self.check = IconButton(theme, "refresh-cw", "Check now", lambda: folders.check(int(self._row["id"])))
        self.pause = IconButton(theme, "pause", "Pause", self._pause)
        self.stop = IconButton(theme, "eye-off", "Stop watching: the documents stay", lambda: folders.forget(self._row))
        self.log = QListWidget()
        self.log.setAccessibleName("What changed in this folder")
        self.log.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.log.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        self.log.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.log.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.log.setUniformItemSizes(True)
        self.log.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 6, 8, 6)
        column.setSpacing(4)
        column.addLayout(self._head())
        column.addWidget(self.log)
        theme.changed.connect(self._list)

    def _head(self) -> QLayout:
        text = QVBoxLayout()
        text.setSpacing(0)
        text.addWidget(self.path)
        text.addWidget(self.standing)
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self._icon)
        head.addSpacing(6)
        head.addLayout(text, 1)
        for part in (self.changes, self.check, self.pause, self.stop):
            head.addWidget(part)
        return head

    def show_folder(self, row: dict[str, Any]) -> None:
        """Show how this folder stands."""
        logged = list(row.get("log") or [])
        anew = logged != list(self._row.get("log") or [])
        self._row = row
        folder, paused = int(row["id"]), bool(row.get("paused"))
        checking = self._folders.checking(folder)
        sentence, tone = standing(row, checking=checking, latest=self._folders.latest(folder))
        self.path.setText(words.file_name(row["path"]))
        self.standing.setText(sentence)
        set_tone(self.standing, tone)
        troubled = bool(row.get("problem")) and not paused
        if troubled:
            self._icon.show_icon("triangle-alert", "warn")
        else:
            self._icon.show_icon("folder-sync", "muted" if paused else "accent")
        self.pause.show_icon("play" if paused else "pause")
        self.pause.rename("Go on following changes" if paused else "Pause following changes")
        self.check.setEnabled(not paused and not checking)
        self.changes.setVisible(bool(logged))
        self.setAccessibleName(f"Watched folder {self.path.text()}: {sentence}")
        if anew:
            self._list()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the content to the new size."""
        super().resizeEvent(event)
        self._name_changes()

    def _name_changes(self) -> None:
        """A picture only, where there is no room for words beside how the folder stands."""
        word = "Hide changes" if self.log.isVisibleTo(self) else "Changes"
        self.changes.say(word)
        self.changes.setToolTip(tip(word))
        if self.width() < _NARROW:
            self.changes.setText("")

    def _pause(self) -> None:
        self._folders.pause(int(self._row["id"]), not self._row.get("paused"))

    def _toggle(self) -> None:
        self.log.setVisible(not self.log.isVisibleTo(self))
        self._name_changes()
        self._list()

    def _list(self) -> None:
        self.log.clear()
        if not self.log.isVisibleTo(self):
            return
        now = time.time()
        for entry in self._row.get("log") or []:
            word, icon, role = CHANGES.get(str(entry["change"]), (str(entry["change"]), "info", "muted"))
            text = f"{words.file_name(entry['name'])}  ·  {word} {words.ago(float(entry['at']), now)}"
            item = QListWidgetItem(self._theme.icon(icon, role), text)
            item.setSizeHint(QSize(0, _LOG_ROW))
            self.log.addItem(item)
        self.log.setFixedHeight(min(_LOG_ROWS, max(1, self.log.count())) * _LOG_ROW + 6)
