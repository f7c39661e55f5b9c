"""The classes of personal data, each with what happens to what is found of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.pieces.controls import Choice
from desktop_rag.gui.pieces.labels import IconLabel, label, set_tone
from desktop_rag.gui.pieces.scrolling import scrolling_column
from desktop_rag.gui.theme import Theme
from desktop_rag.privacy.classes import LEAVE, REPLACE

_THRESHOLDS = (0.6, 0.8, 0.95)
# Those that are usually left first: they are what most people come to change.
_HEADINGS = ((False, "Says something about a person"), (True, "Names a person or an account"))
_WIDTH = 250


class ClassList(QWidget):
    """`chosen(row, treatment, threshold)`: what the user wants for a class; it is shown once it holds."""

    chosen = Signal(object, str, object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._held: dict[str, dict[str, Any]] = {}
        self.choices: dict[str, Choice] = {}
        self._names: dict[str, QLabel] = {}
        self._column = scrolling_column(self, "Classes of private values")
        self._column.setContentsMargins(0, 8, 12, 8)
        self._column.setSpacing(4)

    def show_classes(self, rows: Sequence[dict[str, Any]]) -> None:
        """Show how each class is treated; the rows are those of `rules`."""
        self._held = {row["label"]: row for row in rows}
        if not self.choices:
            self._build()
        for name in self.choices:
            self.show_held(name)

    @property
    def changed(self) -> int:
        """How many classes are treated otherwise than usual."""
        return sum(map(_is_changed, self._held.values()))

    def show_held(self, name: str) -> None:
        """Show what holds for a class, whatever was chosen."""
        row, choice = self._held[name], self.choices[name]
        choice.clear()
        for treatment, threshold in _options(row):
            usual = (treatment, threshold) == (row["default"], None)
            choice.addItem(_words(treatment, threshold) + (" (usual)" if usual else ""), (treatment, threshold))
        choice.setCurrentIndex(_options(row).index(_treatment(row)))
        set_tone(self._names[name], "accent" if _is_changed(row) else "")

    def _build(self) -> None:
        for direct, heading in _HEADINGS:
            self._column.addWidget(label(heading, "heading"))
            for row in (row for row in self._held.values() if row["direct"] == direct):
                self._column.addLayout(self._row(row))
            self._column.addSpacing(12)
        self._column.addStretch(1)

    def _row(self, row: dict[str, Any]) -> QHBoxLayout:
        name = str(row["label"])
        choice = self.choices[name] = Choice(self._theme)
        choice.setAccessibleName(f"{row['name']}: what happens to it")
        choice.setFixedWidth(_WIDTH)
        choice.activated.connect(lambda _index: self._choose(name))
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(IconLabel(self._theme, words.label_icon(name), "muted"))
        self._names[name] = label(str(row["name"]))
        line.addWidget(self._names[name], 1)
        line.addWidget(choice)
        return line

    def _choose(self, name: str) -> None:
        treatment, threshold = self.choices[name].currentData()
        self.show_held(name)
        if (treatment, threshold) != _treatment(self._held[name]):
            self.chosen.emit(self._held[name], treatment, threshold)


def _options(row: dict[str, Any]) -> list[tuple[str, float | None]]:
    """What can be chosen; a threshold that was set in the terminal is among them."""
    thresholds = sorted({*_THRESHOLDS, *([row["threshold"]] if row["threshold"] else [])})
    return [(REPLACE, None), *((REPLACE, threshold) for threshold in thresholds), (LEAVE, None)]


def _treatment(row: dict[str, Any]) -> tuple[str, float | None]:
    return row["treatment"], row["threshold"]


def _is_changed(row: dict[str, Any]) -> bool:
    return _treatment(row) != (row["default"], None)


def _words(treatment: str, threshold: float | None) -> str:
    if treatment == LEAVE:
        return "Leave"
    return "Replace" if threshold is None else f"Replace if {threshold:.0%} sure"
