"""The "fits" bar: model, KV, other, what other programs use, and what stays free."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.models import facts
from desktop_rag.gui.pieces.bars import Part, PartsBar, legend_entry
from desktop_rag.gui.theme import Theme


def parts(fit: Mapping[str, Any] | None) -> list[Part]:
    """The parts of a bar."""
    return [
        Part(share.name, share.megabytes, words.memory(share.megabytes), share.role, share.opacity)
        for share in facts.shares(fit)
    ]


class FitBar(QWidget):
    """The bar of one model, with a legend where there is room for one."""

    def __init__(self, theme: Theme, *, legend: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._bar = PartsBar(theme, "Memory", 10 if legend else 8)
        self._legend = QGridLayout() if legend else None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._bar)
        if self._legend is not None:
            self._legend.setContentsMargins(0, 0, 0, 0)
            self._legend.setHorizontalSpacing(24)
            self._legend.setVerticalSpacing(2)
            self._legend.setColumnStretch(0, 1)
            column.addLayout(self._legend)

    def show_fit(self, fit: Mapping[str, Any] | None) -> None:
        """Show what a `fit` request answered; None while it is under way."""
        shown = parts(fit)
        self._bar.show_parts(shown, too_much=facts.missing_mb(fit) > 0)
        if self._legend is not None:
            while (item := self._legend.takeAt(0)) is not None:
                if (old := item.widget()) is not None:
                    old.hide()
                    old.deleteLater()
            for place, part in enumerate(shown):
                self._legend.addWidget(legend_entry(self._theme, part), place, 0)

    @property
    def parts(self) -> list[Part]:
        """What the bar shows."""
        return self._bar.parts
