"""Where the time until the first word went: scrub, search, rerank, prefill, as a stacked bar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtWidgets import QGridLayout, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.meter.telemetry import stages
from desktop_rag.gui.pieces.bars import Part, PartsBar, legend_entry
from desktop_rag.gui.pieces.labels import label
from desktop_rag.gui.pieces.panel import Panel
from desktop_rag.gui.theme import Theme

NAMES = {
    "scrub": ("Clean the question", "private", 0.8),
    "search": ("Search", "ok", 0.8),
    "rerank": ("Rank again", "ok", 0.4),
    "load": ("Load the model", "muted", 0.5),
    "prefill": ("Read the passages", "accent", 1.0),
}


def parts(done: Mapping[str, Any]) -> list[Part]:
    """The parts of the bar from a `done` event."""
    return [Part(NAMES[name][0], value, milliseconds(value), *NAMES[name][1:]) for name, value in stages(done).items()]


def milliseconds(value: float) -> str:
    """ "87 ms", "1.2 s"."""
    return f"{value / 1000:.1f} s" if value >= 1000 else f"{value:.0f} ms"


def reading(usage: Mapping[str, Any]) -> str:
    """How much of the prompt was read and how much the model still knew."""
    prompt, reused = usage.get("prompt_tokens"), usage.get("reused_tokens")
    if not prompt:
        return ""
    text = f"The prompt had {words.plural(int(prompt), 'token')}"
    if reused:
        share = 100 * int(reused) / int(prompt)
        return f"{text}; {words.count(int(reused))} of them ({share:.0f} %) were still in the model's memory."
    return f"{text}, all of them read anew."


class StagesPanel(Panel):
    """Empty until an answer was measured."""

    def __init__(self, theme: Theme) -> None:
        super().__init__("Until the first word")
        self._theme = theme
        self.bar = PartsBar(theme, "Until the first word", 12)
        self._legend = QGridLayout()
        self._legend.setVerticalSpacing(2)
        self.words = label("Not measured yet.", "small", "muted", wrap=True)
        self.body.addWidget(self.bar)
        self.body.addLayout(self._legend)
        self.body.addWidget(self.words)

    def show_answer(self, done: Mapping[str, Any]) -> None:
        """The stages of a finished answer."""
        shown = parts(done)
        self.bar.show_parts(shown)
        self.about.setText(milliseconds(sum(part.size for part in shown)) if shown else "")
        while (item := self._legend.takeAt(0)) is not None:
            old: QWidget | None = item.widget()
            if old is not None:
                old.hide()
                old.deleteLater()
        for place, part in enumerate(shown):
            self._legend.addWidget(legend_entry(self._theme, part), place, 0)
        said = reading(done.get("usage") or {})
        self.words.setText(said or "Not measured yet.")
