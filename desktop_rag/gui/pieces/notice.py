"""A notice: one sentence at the place it concerns, a hint, and at most one action."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui.pieces.buttons import IconButton, TextButton
from desktop_rag.gui.pieces.labels import IconLabel, label, restyle
from desktop_rag.gui.theme import Theme

_ICONS = {"notice": ("triangle-alert", "warn"), "error": ("circle-alert", "bad"), "calm": ("info", "accent")}


class Notice(QFrame):
    """`kind` is "notice" (something to know), "error" (something failed) or "calm" (good to know)."""

    def __init__(self, theme: Theme, *, closable: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._action: Callable[[], object] | None = None
        self._icon = IconLabel(theme, "info", "accent")
        self._sentence = label("", wrap=True)
        self._hint = label("", "small", "muted", wrap=True)
        self._button = TextButton(theme, "Retry", self._act)
        self._close = IconButton(theme, "x", "Dismiss this notice", self.hide)
        self._close.setVisible(closable)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._sentence)
        words.addWidget(self._hint)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 8, 8)
        row.setSpacing(10)
        row.addWidget(self._icon)
        row.addLayout(words, 1)
        row.addWidget(self._button)
        row.addWidget(self._close)
        self.hide()

    def say(
        self,
        sentence: str,
        hint: str = "",
        *,
        kind: str = "notice",
        action: str = "",
        on_action: Callable[[], object] | None = None,
    ) -> None:
        """Show a sentence; with `action`, a button that calls `on_action`."""
        self.setProperty("kind", kind)
        restyle(self)
        self._icon.show_icon(*_ICONS[kind])
        self._sentence.setText(sentence)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        self._button.setVisible(bool(action))
        self._button.say(action or "Retry")
        self._action = on_action
        self.setAccessibleName(sentence)
        self.show()

    def say_while(self, sentence: str, holds: bool) -> None:
        """Show a sentence as long as it holds; it takes nothing else away."""
        if holds:
            self.say(sentence)
        elif self.sentence == sentence:
            self.hide()

    def say_error(
        self, error: DesktopRagError, action: str = "", on_action: Callable[[], object] | None = None
    ) -> None:
        """Show an error's own sentence and hint."""
        self.say(error.message, error.hint, kind="error", action=action, on_action=on_action)

    @property
    def sentence(self) -> str:
        """What it says."""
        return self._sentence.text()

    @property
    def hint(self) -> str:
        """What can be done, or details."""
        return self._hint.text()

    def _act(self) -> None:
        self.hide()
        if self._action is not None:
            self._action()
