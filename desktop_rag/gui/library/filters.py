"""The filters above the list: one chip for each state that occurs, with its number; together they make the total."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.library.listing import ALL, GROUPS
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.theme import Theme

_GAP = 2


class StateFilters(QWidget):
    """`chosen(group)`; a group without documents has no chip, unless it is the one that is shown."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.group = ALL
        self.chips: dict[str, TextButton] = {}
        self._buttons = QButtonGroup(self)
        self._height = 0
        for group, word in {ALL: "All", **GROUPS}.items():
            chip = TextButton(theme, word, kind="tab", parent=self)
            chip.setCheckable(True)
            chip.setChecked(group == ALL)
            chip.clicked.connect(lambda _checked=False, group=group: self.choose(group))
            self._buttons.addButton(chip)
            self.chips[group] = chip
        theme.changed.connect(self._place)

    def choose(self, group: str) -> None:
        """Show only this group, or all."""
        self.chips[group].setChecked(True)
        if group != self.group:
            self.group = group
            self.chosen.emit(group)

    def show_numbers(self, numbers: Mapping[str, int]) -> None:
        """How many documents each group has."""
        for group, chip in self.chips.items():
            number = sum(numbers.values()) if group == ALL else numbers[group]
            word = "All" if group == ALL else GROUPS[group]
            chip.say(f"{word} {words.count(number)}")
            chip.setAccessibleDescription(f"Show {words.plural(number, 'document')}")
            chip.setVisible(number > 0 or group in (ALL, self.group))
        self._place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the content to the new size."""
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        """Side by side, and in another line where there is no room: a number that is cut would be another number."""
        left = top = 0
        for chip in self.chips.values():
            if chip.isHidden():
                continue
            chip.ensurePolished()
            size = chip.sizeHint()
            if left and left + size.width() > self.width():
                left, top = 0, top + size.height() + _GAP
            chip.setGeometry(left, top, size.width(), size.height())
            left += size.width() + _GAP
        height = top + self.chips[ALL].sizeHint().height()
        if height != self._height:
            self._height = height
            self.setFixedHeight(height)
