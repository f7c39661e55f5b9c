"""The Sources tab: the passages an answer rests on, best first."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QScrollArea, QStackedLayout, QVBoxLayout, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.pieces.empty import EmptyState
from desktop_rag.gui.pieces.labels import label
from desktop_rag.gui.reveal import Reveal
from desktop_rag.gui.sources.passage_card import PassageCard
from desktop_rag.gui.theme import Theme


class PassageList(QWidget):
    """`opened(passage)` when one is to be shown in its document."""

    opened = Signal(object)

    def __init__(self, theme: Theme, reveal: Reveal, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._reveal = theme, reveal
        self._shown: list[dict[str, Any]] = []
        self.cards: list[PassageCard] = []
        self._coverage = label("", "small", "muted", wrap=True)
        canvas = QWidget()
        self._column = QVBoxLayout(canvas)
        self._column.setContentsMargins(12, 8, 12, 12)
        self._column.setSpacing(8)
        self._column.addWidget(self._coverage)
        self._column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(canvas)
        scroll.setWidgetResizable(True)
        scroll.setAccessibleName("Passages")
        self._stack = QStackedLayout(self)
        self._stack.addWidget(
            EmptyState(theme, "quote", "Sources", "Ask something: the passages an answer rests on are listed here.")
        )
        self._stack.addWidget(scroll)

    def show_passages(self, passages: list[dict[str, Any]], coverage: dict[str, Any]) -> None:
        """List these passages; the same list again changes nothing."""
        total = coverage.get("passages_total")
        self._list(passages)
        for number, card in enumerate(self.cards):
            card.set_read(number < int(coverage.get("passages_read", len(passages)) or 0))
        self._coverage.setText(words.coverage(int(coverage.get("passages_read") or 0), int(total)) if total else "")
        self._coverage.setVisible(bool(total))

    def _list(self, passages: list[dict[str, Any]]) -> None:
        if passages == self._shown:
            return
        self._shown = list(passages)
        for card in self.cards:
            card.hide()
            card.deleteLater()
        self.cards = [self._card(passage, number) for number, passage in enumerate(passages, 1)]
        self._stack.setCurrentIndex(1 if passages else 0)

    def choose(self, passage: dict[str, Any]) -> None:
        """Mark the card of the passage that is open."""
        for card in self.cards:
            card.choose(_same(card.passage, passage))

    def _card(self, passage: dict[str, Any], number: int) -> PassageCard:
        card = PassageCard(self._theme, self._reveal, passage, number)
        card.opened.connect(self.opened)
        self._column.insertWidget(self._column.count() - 1, card)
        return card


def _same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    if first.get("chunk") is not None and second.get("chunk") is not None:
        return bool(first["chunk"] == second["chunk"])
    keys = ("document", "page", "locator", "start")
    return all(first.get(key) == second.get(key) for key in keys)
