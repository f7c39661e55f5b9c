"""Tabs above what they choose between."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QMargins, QSize
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.labels import line
from desktop_rag.gui.theme import Theme


class _Tab(TextButton):
    """As wide as its words are when it is chosen, and bold: it neither cuts them nor moves its neighbours."""

    def sizeHint(self) -> QSize:
        """The usual size, and what bold letters take more."""
        usual = super().sizeHint()
        bold = QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        needed, taken = (QFontMetrics(font).horizontalAdvance(self.text()) for font in (bold, self.font()))
        return usual.grownBy(QMargins(0, 0, max(0, needed - taken), 0))

    def minimumSizeHint(self) -> QSize:
        """Never narrower."""
        return self.sizeHint()


class Tabs(QHBoxLayout):
    """A bar of tabs of which one is chosen, and room for tools behind them; `stack` is for what they show."""

    def __init__(self, theme: Theme, names: Sequence[str]) -> None:
        super().__init__()
        self.setSpacing(4)
        self.stack = QStackedLayout()
        self.group = QButtonGroup(self)
        self.buttons = [_Tab(theme, name, kind="tab") for name in names]
        for index, button in enumerate(self.buttons):
            button.setCheckable(True)
            self.group.addButton(button, index)
            self.addWidget(button)
        self.addStretch(1)

    def fill(self, page: QWidget, *between: QWidget) -> None:
        """Lay the bar, a line, what stands `between`, and what the tabs show into a page."""
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self)
        column.addWidget(line())
        for part in between:
            column.addWidget(part)
        column.addLayout(self.stack, 1)

    def show(self, index: int) -> None:
        """Bring the content of a tab to the front."""
        self.stack.setCurrentIndex(index)
        self.buttons[index].setChecked(True)
