"""The foldable pane at the right with its tabs."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop_rag.gui.backend import Backend
from desktop_rag.gui.chat.entries import Answer
from desktop_rag.gui.pieces.buttons import IconButton
from desktop_rag.gui.pieces.labels import set_kind
from desktop_rag.gui.pieces.tabs import Tabs
from desktop_rag.gui.reveal import Reveal
from desktop_rag.gui.sources.passage_list import PassageList
from desktop_rag.gui.sources.viewer import Viewer
from desktop_rag.gui.tasks import Tasks
from desktop_rag.gui.theme import Theme
from desktop_rag.gui.trace.view import TraceView

SOURCES, VIEWER, WHY = 0, 1, 2


class Pane(QWidget):
    """Sources, Viewer and Why; `closed()` by its own button."""

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
        self.trace = TraceView(theme, reveal, backend, tasks)
        self._tabs = Tabs(theme, ("Sources", "Viewer", "Why"))
        self._tabs.setContentsMargins(12, 10, 8, 8)
        self._tabs.addWidget(IconButton(theme, "x", "Close this pane", self.closed.emit))
        self._tabs.stack.addWidget(self.passages)
        self._tabs.stack.addWidget(self.viewer)
        self._tabs.stack.addWidget(self.trace)
        self._tabs.fill(self)
        self._tabs.group.idClicked.connect(self.show_tab)
        self.passages.opened.connect(self.open)
        self.trace.opened.connect(self.open)
        self.show_tab(SOURCES)

    def show_tab(self, index: int) -> None:
        """Bring `SOURCES`, `VIEWER` or `WHY` to the front."""
        self._tabs.show(index)

    @property
    def tab(self) -> int:
        """Which tab is in front."""
        return self._tabs.stack.currentIndex()

    def open(self, passage: dict[str, Any]) -> None:
        """Show a passage in its document."""
        self.passages.choose(passage)
        self.show_tab(VIEWER)
        self.viewer.open(passage)

    def explain(self, answer: Answer) -> None:
        """Show how an answer came about."""
        self.trace.show_answer(answer)
        self.show_tab(WHY)
