"""What stands in place of everything else while the library is locked."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui.key.fields import PassphraseField
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.centred import centred_column, centred_words
from desktop_rag.gui.pieces.labels import IconLabel, set_kind, set_tone
from desktop_rag.gui.theme import Theme

_WIDTH = 420
_ACTIONS = {
    "passphrase": "Unlock",
    "keyring": "Unlock with the system's keyring",
    "file": "Unlock",
}
_WORDS = {
    "passphrase": "Enter your passphrase to open it.",
    "keyring": "Its key lies in the operating system's keyring.",
    "file": (
        "Its key lies in a file: whoever can use your account can unlock it. "
        "With a passphrase, which you can set in the settings, locking protects it."
    ),
}
_LOST = {
    "passphrase": "I no longer know the passphrase…",
    "keyring": "The keyring no longer has the key…",
    "file": "The key file is lost…",
}


class UnlockPage(QWidget):
    """`unlock_wanted(passphrase)`, "" where there is none to type; `lost()` when there is no way in any more."""

    unlock_wanted = Signal(str)
    lost = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        set_kind(self, "page")
        self._keeper = "passphrase"
        self._title = centred_words("Your library is locked", "display")
        self._sentence = centred_words("", "reading", "muted")
        self._said = centred_words("")
        self._waiting = centred_words("", tone="muted")
        self._waiting.hide()
        self.field = PassphraseField(theme, "Passphrase")
        self.unlock = TextButton(theme, "Unlock", self._go, kind="primary", icon="lock")
        self.no_way = TextButton(theme, "", self.lost.emit, kind="link")
        column = centred_column(self, _WIDTH)
        column.addWidget(IconLabel(theme, "lock", "accent", 40), 0, Qt.AlignmentFlag.AlignHCenter)
        for part in (self._title, self._sentence, self.field, self._said, self.unlock):
            column.addWidget(part)
        column.addWidget(self._waiting)
        column.addSpacing(8)
        column.addWidget(self.no_way, 0, Qt.AlignmentFlag.AlignHCenter)
        self.field.returnPressed.connect(self._go)
        self.field.textChanged.connect(self._refresh)
        self.show_for("passphrase")

    def show_for(self, keeper: str, error: DesktopRagError | None = None) -> None:
        """Ask for what "passphrase", "keyring" or "file" needs; `error` is why the last try failed."""
        self._keeper = keeper if keeper in _WORDS else "file"
        self._sentence.setText(_WORDS[self._keeper])
        self.unlock.say(_ACTIONS[self._keeper])
        self.no_way.say(_LOST[self._keeper])
        self.field.setVisible(self._keeper == "passphrase")
        self._say(f"{error.message} {error.hint}" if error else "", "bad")
        # Only who could not get in needs a way out.
        self.no_way.setVisible(error is not None)
        self.setEnabled(True)
        self.set_focus()
        self._refresh()

    def say_waiting(self, files: int) -> None:
        """Tell how many files another start has brought, which are added afterwards."""
        what = "file waits" if files == 1 else "files wait"
        self._waiting.setText(f"{files} {what} to be added when it is open.")
        self._waiting.setVisible(files > 0)

    def show_working(self) -> None:
        """The passphrase is being tried: that takes a second on purpose."""
        self._say("Unlocking…", "muted")
        self.setEnabled(False)

    def set_focus(self) -> None:
        """Put the keyboard where it is needed."""
        (self.field if self._keeper == "passphrase" else self.unlock).setFocus()

    @property
    def said(self) -> str:
        """What it says of the last try."""
        return self._said.text()

    def _say(self, words: str, tone: str) -> None:
        self._said.setText(words)
        self._said.setVisible(bool(words))
        set_tone(self._said, tone)
        self.setAccessibleName(" ".join(filter(None, ("Your library is locked.", words))))

    def _refresh(self) -> None:
        self.unlock.setEnabled(self._keeper != "passphrase" or bool(self.field.text()))

    def _go(self) -> None:
        if self.unlock.isEnabled():
            self.unlock_wanted.emit(self.field.take())
