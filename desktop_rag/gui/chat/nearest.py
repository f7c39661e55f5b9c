"""The passages that came nearest when the documents do not hold the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.labels import label
from desktop_rag.gui.theme import Theme

_MOST = 3
_INDENT = 10  # of the words in a row of kind "row"


class Nearest(QFrame):
    """A soft card that lists up to three places to look at; hidden when there are none."""

    def __init__(self, theme: Theme, on_open: Callable[[dict[str, Any]], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "soft")
        self._theme, self._on_open = theme, on_open
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(4, 10, 4, 6)
        self._column.setSpacing(0)
        note = label("These passages came nearest; none of them answers it.", tone="muted", wrap=True)
        note.setContentsMargins(_INDENT, 0, 0, 4)
        self._column.addWidget(note)
        self._rows: list[TextButton] = []
        self.hide()

    def show_passages(self, passages: list[dict[str, Any]]) -> None:
        """List where the nearest passages are, best first; a place that holds several of them stands once."""
        for row in self._rows:
            row.deleteLater()
        places: dict[str, dict[str, Any]] = {}
        for passage in passages:
            places.setdefault(_where(passage), passage)
        self._rows = [self._row(where, passage) for where, passage in list(places.items())[:_MOST]]
        for row in self._rows:
            self._column.addWidget(row)
        self.setVisible(bool(self._rows))

    @property
    def names(self) -> list[str]:
        """The listed places."""
        return [row.text() for row in self._rows]

    def _row(self, where: str, passage: dict[str, Any]) -> TextButton:
        icon = words.FORMAT_ICONS.get(str(passage.get("name") or "").rpartition(".")[2].lower(), "file")
        return TextButton(self._theme, where, lambda: self._on_open(passage), kind="row", icon=icon)


def _where(passage: dict[str, Any]) -> str:
    return " · ".join(part for part in (words.file_name(passage.get("name")), words.place(passage)) if part)
