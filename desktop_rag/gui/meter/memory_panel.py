"""Memory by process, with what the model takes of it; on a graphics card as well where one reports it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtWidgets import QGridLayout

from desktop_rag.gui import words
from desktop_rag.gui.meter.readings import NAMES
from desktop_rag.gui.pieces.bars import Part, PartsBar, number
from desktop_rag.gui.pieces.labels import label
from desktop_rag.gui.pieces.panel import Panel
from desktop_rag.gui.theme import Theme

_TIP = (
    "Own: what the process alone holds and what would be free without it (USS). "
    "With its share: plus its part of what several processes hold together (PSS)."
)


class MemoryPanel(Panel):
    """A row for each process, then the parts of the whole."""

    def __init__(self, theme: Theme) -> None:
        super().__init__("Memory")
        self._theme = theme
        self.setToolTip(_TIP)
        self.bar = PartsBar(theme, "Memory", 12)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(0, 1)
        self.words = label("", "small", "muted", wrap=True)
        self.body.addWidget(self.bar)
        self.body.addLayout(self._grid)
        self.body.addWidget(self.words)
        self.cells: dict[str, tuple[str, ...]] = {}

    def show_reading(self, reading: Mapping[str, Any], model: Mapping[str, Any]) -> None:
        """What `readings.read` found; `model` is the chat worker's word about weights and KV."""
        processes = dict(reading.get("processes") or {})
        gpu = dict(reading.get("gpu") or {})
        head = ("Process", "own", "with its share", *(("graphics card",) if gpu else ()))
        rows: dict[str, tuple[str, ...]] = {
            NAMES.get(role) or str(role): (
                words.memory(taken.get("uss")),
                words.memory(taken.get("pss")),
                *((words.memory(gpu.get(role)),) if gpu else ()),
            )
            for role, taken in processes.items()
        }
        if rows != self.cells:
            self.cells = rows
            self._fill(head)
        total = sum(float(taken.get("pss") or taken.get("rss") or 0) for taken in processes.values())
        self.about.setText(words.memory(total) if total else "")
        self._show_bar(total, model)

    def _show_bar(self, total: float, model: Mapping[str, Any]) -> None:
        weights, kv = float(model.get("weights_mb") or 0), float(model.get("kv_mb") or 0)
        rest = max(0.0, total - weights - kv)
        held = "Weights, mapped from the file" if model.get("weights_mapped") else "Weights"
        self.bar.show_parts([
            Part(held, weights, words.memory(weights), "accent", 1.0),
            Part("KV", kv, words.memory(kv), "accent", 0.5),
            Part("Programs", rest, words.memory(rest), "muted", 0.4),
        ])  # fmt: skip
        self.words.setText(
            f"Weights {words.memory(weights)}{held.removeprefix('Weights')} · KV {words.memory(kv)} · "
            f"programs {words.memory(rest)}"
            if weights
            else "No model is in memory."
        )

    def _fill(self, head: tuple[str, ...]) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for column, text in enumerate(head):
            self._grid.addWidget(
                label(text, "small", "muted") if column == 0 else number(self._theme, text, "muted"), 0, column
            )
        for place, (name, values) in enumerate(self.cells.items(), 1):
            self._grid.addWidget(label(name), place, 0)
            for column, value in enumerate(values, 1):
                self._grid.addWidget(number(self._theme, value), place, column)
