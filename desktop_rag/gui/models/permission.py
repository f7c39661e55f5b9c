"""The question before the network is opened: at the place that wants it, for this purpose only."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.labels import IconLabel, label
from desktop_rag.gui.theme import Theme


class Permission(QFrame):
    """Hidden until `ask`; nothing is opened before its button is pressed. `left()` when the answer is no."""

    left = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "notice")
        self._then: Callable[[], object] | None = None
        self.sentence = label("", wrap=True)
        self._meaning = label("", "small", "muted", wrap=True)
        self.allow = TextButton(theme, "Open", self._allow, kind="primary")
        self._leave = TextButton(theme, "Not now", self._refuse, kind="quiet")
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.sentence)
        words.addWidget(self._meaning)
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(IconLabel(theme, "globe", "warn"), 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(words, 1)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(self._leave)
        foot.addWidget(self.allow)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 10, 10)
        column.setSpacing(8)
        column.addLayout(head)
        column.addLayout(foot)
        self.setAccessibleName("Permission to open the network")
        self.hide()

    def ask(self, sentence: str, meaning: str, action: str, then: Callable[[], object]) -> None:
        """Ask; `then` is called when the person agrees."""
        self.sentence.setText(sentence)
        self._meaning.setText(meaning)
        self._meaning.setVisible(bool(meaning))
        self.allow.say(action)
        self._then = then
        self.show()
        self.allow.setFocus(Qt.FocusReason.OtherFocusReason)

    def _refuse(self) -> None:
        self.hide()
        self.left.emit()

    def _allow(self) -> None:
        self.hide()
        if self._then is not None:
            self._then()
