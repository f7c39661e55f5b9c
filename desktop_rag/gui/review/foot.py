"""The foot of the review sheet: how much was found, what can be decided, and the one button that goes on."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.labels import ElidedLabel
from desktop_rag.gui.theme import Theme

KEYS = (
    "J K move · Space tick · A always · N never · M mask · V text or page · O all documents · "
    "Ctrl+Z undo · Ctrl+Enter index"
)


class ReviewFoot(QWidget):
    """`always()`, `never()`, `undone()`, `left()` and `accepted()` when their buttons are pressed."""

    always = Signal()
    never = Signal()
    undone = Signal()
    left = Signal()
    accepted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.counts = ElidedLabel("", "heading")
        self.note = ElidedLabel("", "small", "muted")
        self.index = TextButton(theme, "Index", self.accepted.emit, kind="primary", icon="check")
        self.take_back = TextButton(theme, "Undo", self.undone.emit, kind="quiet", icon="history")
        self.take_back.setToolTip("Take the last decision back (Ctrl+Z)")
        always = TextButton(theme, "Always", self.always.emit, kind="quiet", icon="lock")
        always.setToolTip("Replace this value in the whole collection, from now on (A)")
        never = TextButton(theme, "Never", self.never.emit, kind="quiet", icon="eye")
        never.setToolTip("Leave this value as it is in the whole collection, from now on (N)")
        told = QVBoxLayout()
        told.setSpacing(0)
        told.addWidget(self.counts)
        told.addWidget(self.note)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addLayout(told, 1)
        later = TextButton(theme, "Decide later", self.left.emit, kind="quiet")
        for button in (always, never, self.take_back, later, self.index):
            # Where there is little room, the numbers give way and not the buttons.
            button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 8, 16, 8)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(ElidedLabel(KEYS, "small", "muted"))

    def say_looking(self) -> None:
        """The document is being read."""
        self.counts.setText("Looking…")
        self.note.setText("")

    def say(self, found: int, replaced: int, doubtful: int, before: str = "") -> None:
        """How many values there are."""
        parts = [before] if before else []
        parts += [f"{words.count(found)} found"] + ([f"{words.count(doubtful)} to check"] if doubtful else [])
        self.counts.setText(" · ".join(parts))
        self.note.setText(f"{words.count(replaced)} replaced · {words.count(found - replaced)} kept")
