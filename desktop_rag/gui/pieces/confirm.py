"""A question before something that cannot be undone, and the one line forms that need a dialog."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.labels import label
from desktop_rag.gui.theme import Theme


class Confirm(QDialog):
    """A sentence, what it means, and a button that says what it does; `field` asks for a line of text.

    What is typed as a `password` is not shown, and given on as it was typed.
    """

    def __init__(
        self,
        theme: Theme,
        parent: QWidget,
        sentence: str,
        meaning: str,
        action: str,
        on_action: Callable[[str], object],
        *,
        danger: bool = True,
        field: str | None = None,
        password: bool = False,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(sentence)
        self.setMinimumWidth(400)
        self._on_action = on_action
        self.field = QLineEdit(field or "")
        self.field.setAccessibleName(sentence)
        self.field.setVisible(field is not None)
        self._password = password
        if password:
            self.field.setEchoMode(QLineEdit.EchoMode.Password)
        self.button = TextButton(theme, action, self._act, kind="danger" if danger else "primary")
        if field is not None:
            self.button.setDefault(True)
            self.field.setFocus()
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(8)
        title = label(sentence, "heading", wrap=True)
        note = label(meaning, tone="muted", wrap=True)
        note.setVisible(bool(meaning))
        column.addWidget(title)
        column.addWidget(note)
        column.addWidget(self.field)
        column.addSpacing(8)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(TextButton(theme, "Cancel", self.reject))
        row.addWidget(self.button)
        column.addLayout(row)

    def showEvent(self, event: QShowEvent) -> None:
        """As high as the words at this width: a lone line would get the room of two."""
        super().showEvent(event)
        self.setFixedHeight(self.heightForWidth(self.width()))

    def _act(self) -> None:
        self.accept()
        self._on_action(self.field.text() if self._password else self.field.text().strip())
