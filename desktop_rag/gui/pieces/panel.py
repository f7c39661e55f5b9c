"""A panel: a card with a heading, a line about it, and content; and a grid of panels that folds with its width."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from desktop_rag.gui.pieces.labels import label

_TWO_COLUMNS = 700


class Panel(QFrame):
    """Put content in `body`."""

    def __init__(self, title: str, about: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.setAccessibleName(title)
        self.about = label(about, "small", "muted")
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(label(title, "heading"))
        head.addStretch(1)
        head.addWidget(self.about)
        self.body = QVBoxLayout()
        self.body.setSpacing(8)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 14)
        column.setSpacing(10)
        column.addLayout(head)
        column.addLayout(self.body)
        column.addStretch(1)


class FoldingGrid(QWidget):
    """Two panels side by side where there is room, else one below the other."""

    def __init__(self, panels: Sequence[QWidget], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._panels = list(panels)
        self._columns = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(12)
        self._place(2)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the content to the new size."""
        super().resizeEvent(event)
        self._place(2 if self.width() >= _TWO_COLUMNS else 1)

    def _place(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        for panel in self._panels:
            self._grid.removeWidget(panel)
        for number, panel in enumerate(self._panels):
            self._grid.addWidget(panel, number // columns, number % columns)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 1 if columns == 2 else 0)
