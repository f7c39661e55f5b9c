"""The foldable pane at the right with its two tabs."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from desktop_rag.gui.backend import Backend
from desktop_rag.gui.pieces.buttons import IconButton, TextButton
from desktop_rag.gui.pieces.labels import line, set_kind
from desktop_rag.gui.reveal import Reveal
from desktop_rag.gui.sources.passage_list import PassageList
from desktop_rag.gui.sources.viewer import Viewer
from desktop_rag.gui.tasks import Tasks
from desktop_rag.gui.theme import Theme

SOURCES, VIEWER = 0, 1


class Pane(QWidget):
    """Sources and Viewer; `closed()` by its own button."""

    closed = Signal()

    def __init__(
        self, theme: Theme, reveal: Reveal, backend: Backend, tasks: Tasks, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        set_kind(self, "surface")
        size = theme.tokens.size
        self.setMinimumWidth(size["pane_min"])
        self.setMaximumWidth(size["pane_max"])
        self.passages = PassageList(theme, reveal)
        self.viewer = Viewer(theme, backend, tasks)
        self._group = QButtonGroup(self)
        bar = QHBoxLayout()
        bar.setContentsMargins(12, 10, 8, 8)
        bar.setSpacing(4)
        for index, name in enumerate(("Sources", "Viewer")):
            tab = TextButton(theme, name, kind="tab")
            tab.setCheckable(True)
            self._group.addButton(tab, index)
            bar.addWidget(tab)
        bar.addStretch(1)
        bar.addWidget(IconButton(theme, "x", "Close this pane", self.closed.emit))
        self._stack = QStackedLayout()
        self._stack.addWidget(self.passages)
        self._stack.addWidget(self.viewer)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(bar)
        column.addWidget(line())
        column.addLayout(self._stack, 1)
        self._group.idClicked.connect(self.show_tab)
        self.passages.opened.connect(self.open)
        self.show_tab(SOURCES)

    def show_tab(self, index: int) -> None:
        """Bring `SOURCES` or `VIEWER` to the front."""
        self._stack.setCurrentIndex(index)
        self._group.button(index).setChecked(True)

    @property
    def tab(self) -> int:
        """Which tab is in front."""
        return self._stack.currentIndex()

    def open(self, passage: dict[str, Any]) -> None:
        """Show a passage in its document."""
        self.passages.choose(passage)
        self.show_tab(VIEWER)
        self.viewer.open(passage)
