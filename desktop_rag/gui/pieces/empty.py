"""Empty states teach: one picture, one sentence, one button."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.labels import IconLabel, label
from desktop_rag.gui.theme import Theme


class EmptyState(QWidget):
    """Shown in the middle of a place that has nothing yet."""

    def __init__(
        self,
        theme: Theme,
        icon: str,
        title: str,
        sentence: str,
        *,
        action: str = "",
        on_action: Callable[[], object] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._title = label(title, "heading")
        self._sentence = label(sentence, tone="muted", wrap=True)
        self._sentence.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._sentence.setMinimumWidth(200)
        self._sentence.setMaximumWidth(380)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(8)
        column.addStretch(2)
        column.addWidget(IconLabel(theme, icon, "muted", 32), 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(4)
        column.addWidget(self._title, 0, Qt.AlignmentFlag.AlignHCenter)
        # In a row of its own, which knows how high the words are at the width they get; an aligned item does not.
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self._sentence, 1000)
        row.addStretch(1)
        column.addLayout(row)
        if action:
            column.addSpacing(8)
            column.addWidget(TextButton(theme, action, on_action, kind="primary"), 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)

    def say(self, title: str, sentence: str) -> None:
        """Change the words."""
        self._title.setText(title)
        self._sentence.setText(sentence)
