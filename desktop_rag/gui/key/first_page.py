"""The first start where the system has no keyring: how the library shall be protected is for its owner to say."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QWidget

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui.key.fields import NewPassphrase
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.centred import centred_column, centred_words
from desktop_rag.gui.pieces.controls import Radio
from desktop_rag.gui.pieces.labels import IconLabel, label, set_kind
from desktop_rag.gui.pieces.notice import Notice
from desktop_rag.gui.theme import Theme
from desktop_rag.store.key_words import NO_WAY_BACK

_WIDTH = 480
_INDENT = 31  # of the words beside a round button


class FirstKeyPage(QWidget):
    """`chosen(keeper, passphrase)` with "passphrase" or "file"."""

    chosen = Signal(str, str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        set_kind(self, "page")
        self.by_passphrase = Radio(theme, "With a passphrase")
        self.by_file = Radio(theme, "By file permissions only")
        self._group = QButtonGroup(self)
        self.new = NewPassphrase(theme)
        self.new.setContentsMargins(_INDENT, 0, 0, 0)
        self.notice = Notice(theme)
        self.start = TextButton(theme, "Make my library", self._go, kind="primary")
        self._build(theme)
        self.by_passphrase.setChecked(True)
        self.by_passphrase.toggled.connect(self._refresh)
        for field in (self.new.first, self.new.again):
            field.textChanged.connect(self._refresh)
            field.returnPressed.connect(self._go)
        self._refresh()

    def _build(self, theme: Theme) -> None:
        column = centred_column(self, _WIDTH)
        column.addWidget(IconLabel(theme, "key-round", "accent", 40), 0, Qt.AlignmentFlag.AlignHCenter)
        about = "It is always encrypted. This system has no keyring that could keep its key, so it is for you to say."
        column.addWidget(centred_words("How shall your library be protected?", "display"))
        column.addWidget(centred_words(about, "reading", "muted"))
        column.addSpacing(6)
        for button, words in (
            (self.by_passphrase, f"Asked for at every start. {NO_WAY_BACK}"),
            (self.by_file, "Nothing is asked for. Whoever can read your files can read the library."),
        ):
            self._group.addButton(button)
            note = label(words, "small", "muted", wrap=True)
            note.setContentsMargins(_INDENT, 0, 0, 0)
            button.setAccessibleDescription(words)
            column.addWidget(button)
            column.addWidget(note)
            if button is self.by_passphrase:
                column.addWidget(self.new)
        column.addSpacing(6)
        column.addWidget(self.notice)
        column.addWidget(self.start)

    def show_asking(self, error: DesktopRagError | None = None) -> None:
        """Ask; `error` is why the last choice could not be carried out."""
        self.setEnabled(True)
        self.notice.hide()
        if error is not None:
            self.notice.say_error(error)
        self.new.first.setFocus()

    def _refresh(self) -> None:
        wanted = self.by_passphrase.isChecked()
        self.new.setVisible(wanted)
        self.start.setEnabled(not wanted or self.new.good)

    def _go(self) -> None:
        if self.start.isEnabled():
            keeper = "passphrase" if self.by_passphrase.isChecked() else "file"
            passphrase = self.new.take()
            self.setEnabled(False)
            self.chosen.emit(keeper, passphrase if keeper == "passphrase" else "")
