"""A full window page for what keeps the library from opening: one sentence, what to do, and another try."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.centred import centred_column, centred_words
from desktop_rag.gui.pieces.labels import IconLabel, set_kind
from desktop_rag.gui.theme import Theme


class FailurePage(QWidget):
    """Filled by `say`."""

    def __init__(self, theme: Theme, on_retry: Callable[[], object], on_quit: Callable[[], object]) -> None:
        super().__init__()
        set_kind(self, "page")
        self._icon = IconLabel(theme, "lock", "bad", 40)
        self._title = centred_words("Your library could not be opened", "display")
        self._sentence = centred_words("", "reading")
        self._hint = centred_words("", tone="muted")
        self._again = TextButton(theme, "Try again", on_retry, kind="primary", icon="refresh-cw")
        column = centred_column(self, 520)
        column.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignHCenter)
        for part in (self._title, self._sentence, self._hint):
            column.addWidget(part)
        row = QHBoxLayout()
        row.addStretch(1)
        self._quit = TextButton(theme, "Quit", on_quit)
        row.addWidget(self._quit)
        row.addWidget(self._again)
        row.addStretch(1)
        column.addSpacing(6)
        column.addLayout(row)

    def say(self, error: DesktopRagError) -> None:
        """Show why, and what can be done."""
        self._show("Your library could not be opened", error)
        self._again.show()
        self._again.setFocus()

    def say_final(self, error: DesktopRagError) -> None:
        """Show what no other try can change."""
        self._show("This window has to be closed", error)
        self._again.hide()
        self._quit.setFocus()

    def _show(self, title: str, error: DesktopRagError) -> None:
        self._title.setText(title)
        self._sentence.setText(error.message)
        self._hint.setText(error.hint)
        self.setAccessibleName(f"{title}. {error.message}")

    @property
    def sentence(self) -> str:
        """The reason on the screen."""
        return self._sentence.text()
