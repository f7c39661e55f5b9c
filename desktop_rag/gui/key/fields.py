"""Fields for passphrases: what is typed stays hidden unless asked for, and leaves the field as soon as it was used."""

from __future__ import annotations

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from desktop_rag.gui.pieces.labels import label, set_tone
from desktop_rag.gui.theme import Theme
from desktop_rag.store.key_words import LEAST_CHARACTERS

_FAIR, _GOOD = 12, 20


class PassphraseField(QLineEdit):
    """One passphrase; the eye at its right shows it."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setAccessibleName(name)
        self.setPlaceholderText(name)
        self.setAcceptDrops(False)
        self._eye = QAction(self)
        self._eye.triggered.connect(self._turn)
        self.addAction(self._eye, QLineEdit.ActionPosition.TrailingPosition)
        self.setEchoMode(QLineEdit.EchoMode.Password)
        theme.watch(self._refresh)

    def rename(self, name: str) -> None:
        """Call it otherwise."""
        self.setAccessibleName(name)
        self.setPlaceholderText(name)

    def take(self) -> str:
        """What was typed; the field is empty and hidden again then."""
        text = self.text()
        self.clear()
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self._refresh()
        return text

    def _turn(self) -> None:
        hidden = self.echoMode() == QLineEdit.EchoMode.Password
        self.setEchoMode(QLineEdit.EchoMode.Normal if hidden else QLineEdit.EchoMode.Password)
        self._refresh()

    def _refresh(self) -> None:
        hidden = self.echoMode() == QLineEdit.EchoMode.Password
        self._eye.setIcon(self._theme.icon("eye" if hidden else "eye-off"))
        self._eye.setToolTip("Show the passphrase" if hidden else "Hide the passphrase")


class NewPassphrase(QWidget):
    """A new passphrase, typed twice, and what is to be said of it meanwhile."""

    def __init__(self, theme: Theme, name: str = "Passphrase") -> None:
        super().__init__()
        self.first = PassphraseField(theme, name)
        self.again = PassphraseField(theme, "The same again")
        self._said = label("", "small", "muted", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for part in (self.first, self.again, self._said):
            column.addWidget(part)
        for field in (self.first, self.again):
            field.textChanged.connect(self._say)
        self._say()

    @property
    def good(self) -> bool:
        """Whether it can be used."""
        return len(self.first.text()) >= LEAST_CHARACTERS and self.first.text() == self.again.text()

    def take(self) -> str:
        """What was typed; both fields are empty then."""
        self.again.take()
        return self.first.take()

    def _say(self) -> None:
        first, again = self.first.text(), self.again.text()
        parted = bool(again) and not first.startswith(again)
        self._said.setText("The two differ." if parted else _strength(len(first)))
        set_tone(self._said, "bad" if parted else "muted")


def _strength(length: int) -> str:
    """Length is what counts, and what can be told without guessing."""
    if length < LEAST_CHARACTERS:
        return f"At least {LEAST_CHARACTERS} characters. Four words that do not belong together are good."
    if length < _FAIR:
        return "Short: whoever has a copy of the library may guess it. Add a word."
    return "Good." if length < _GOOD else "Very good."
