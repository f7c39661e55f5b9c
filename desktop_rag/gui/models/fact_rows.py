"""Rows of a name and a number in tabular figures, each with a sentence under it on what it means."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop_rag.gui.models.arithmetic import Fact
from desktop_rag.gui.pieces.bars import number
from desktop_rag.gui.pieces.labels import label
from desktop_rag.gui.theme import Theme


class FactRows(QWidget):
    """Replaced as a whole."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self.facts: list[Fact] = []

    def show_rows(self, rows: Sequence[Fact]) -> None:
        """Show these."""
        if list(rows) == self.facts:
            return
        self.facts = list(rows)
        while (item := self._column.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for fact in rows:
            self._column.addWidget(self._row(fact))

    def _row(self, fact: Fact) -> QWidget:
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        row = QHBoxLayout()
        row.addWidget(label(fact.name))
        row.addStretch(1)
        row.addWidget(number(self._theme, fact.value))
        column.addLayout(row)
        if fact.meaning:
            column.addWidget(label(fact.meaning, "small", "muted", wrap=True))
        return holder
