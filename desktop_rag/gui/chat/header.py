"""The header of the chat: conversation, collection, policy, model, and how private all of it is."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.pieces.buttons import ChipButton, IconButton
from desktop_rag.gui.pieces.labels import ElidedLabel
from desktop_rag.gui.reveal import Reveal
from desktop_rag.gui.seal.chip import SealChip
from desktop_rag.gui.theme import Theme
from desktop_rag.gui.visible import plain


class Header(QWidget):
    """Two lines: title and privacy; model, collection and policy."""

    collection_chosen = Signal(object)
    policy_wanted = Signal()
    model_wanted = Signal()
    seal_wanted = Signal()
    pane_toggled = Signal()

    def __init__(self, theme: Theme, reveal: Reveal, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._reveal = theme, reveal
        self._title = ElidedLabel("New chat", "heading")
        self.model = ChipButton(theme, "No model yet", self.model_wanted.emit, icon="cpu")
        self._collection = ChipButton(theme, "All collections", icon="folder", least=120)
        self._policy = ChipButton(theme, "", self.policy_wanted.emit, icon="eraser", role="private", least=140)
        self.seal = SealChip(theme, self.seal_wanted.emit)
        self._eye = IconButton(theme, "eye", "Show real values", self._toggle_reveal)
        self._eye.setCheckable(True)
        self._eye_open = False
        reveal.changed.connect(self._show_reveal)
        self.pane = IconButton(theme, "panel-right", "Show sources and viewer", self.pane_toggled.emit)
        self.pane.setCheckable(True)
        self._collections: list[dict[str, Any]] = []
        self._menu = QMenu(self)
        self._collection.setMenu(self._menu)
        self._build()
        self._show_reveal()

    def _build(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self._title, 1)
        top.addWidget(self.seal)
        top.addSpacing(4)
        top.addWidget(self._eye)
        top.addWidget(self.pane)
        below = QHBoxLayout()
        below.setSpacing(6)
        for chip in (self._collection, self._policy, self.model):
            below.addWidget(chip)
        below.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 8, 12, 10)
        column.setSpacing(4)
        column.addLayout(top)
        column.addLayout(below)

    # -- content -------------------------------------------------------------------------------

    def set_title(self, title: str) -> None:
        """The conversation's title."""
        self._title.setText(title or "New chat")

    def set_model(self, name: str, quantisation: str = "", about: str = "") -> None:
        """The model that answers; `about` is the tooltip."""
        self.model.say(" · ".join(part for part in (name, quantisation) if part) or "No model yet")
        self.model.setToolTip(about or "The model that answers. Click to choose another.")

    def set_collections(self, collections: list[dict[str, Any]], chosen: dict[str, Any] | None) -> None:
        """What can be asked, and what is."""
        self._collections = collections
        self._menu.clear()
        self._add_choice("All collections", None, chosen is None)
        if collections:
            self._menu.addSeparator()
        for row in collections:
            self._add_choice(str(row["name"]), row, chosen is not None and row["id"] == chosen["id"])
        self._collection.say(str(chosen["name"]) if chosen else "All collections")
        self._collection.setAccessibleName(f"Collection: {self._collection.text()}")
        self._policy.setVisible(chosen is not None)
        if chosen is not None:
            policy = str(chosen.get("policy") or "")
            self._policy.say(words.policy_name(policy))
            self._policy.setAccessibleName(f"Policy: {words.policy_name(policy)}")
            self._policy.setToolTip(words.policy_text(policy))

    def set_pane(self, open_: bool) -> None:
        """Whether the right pane is open."""
        self.pane.setChecked(open_)
        self.pane.rename("Hide sources and viewer" if open_ else "Show sources and viewer")

    def _add_choice(self, name: str, row: dict[str, Any] | None, chosen: bool) -> None:
        action = self._menu.addAction(plain(name))
        action.setCheckable(True)
        action.setChecked(chosen)
        action.triggered.connect(lambda: self.collection_chosen.emit(row))

    def _toggle_reveal(self) -> None:
        self._reveal.set_shown(self._eye.isChecked())

    def _show_reveal(self) -> None:
        """The eye says what is on the screen, whoever asked for it."""
        shown = self._reveal.shown
        if shown == self._eye_open:
            return
        self._eye_open = shown
        self._eye.setChecked(shown)
        self._eye.show_icon("eye-off" if shown else "eye", "private" if shown else "muted")
        self._eye.rename("Hide real values" if shown else "Show real values")
