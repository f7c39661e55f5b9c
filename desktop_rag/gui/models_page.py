"""The Models page: what is in the catalogue, what is on this computer, and what each model needs."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.pieces.labels import ElidedLabel, IconLabel, label, set_kind
from desktop_rag.gui.theme import Theme

_KINDS = {
    "chat": ("Language models", "They read the passages and write the answer.", "message-square"),
    "encoder": ("Encoders", "They find passages by meaning.", "search"),
    "pii": ("Detectors", "They find names and places before anything is indexed.", "shield-check"),
}


class Entry(Protocol):
    """What is shown of an entry of `desktop_rag.models.catalogue`."""

    @property
    def id(self) -> str:
        """Its key in the catalogue."""

    @property
    def kind(self) -> str:
        """ "chat", "encoder" or "pii"."""

    @property
    def name(self) -> str:
        """Its name for people."""

    @property
    def size(self) -> int:
        """Bytes on disk."""

    @property
    def licence(self) -> str:
        """Its licence."""

    @property
    def context(self) -> int:
        """Tokens it reads at once (characters for "pii")."""

    @property
    def memory_mb(self) -> int:
        """Resident memory it adds, in MiB."""

    @property
    def quantisation(self) -> str:
        """How its weights are stored."""

    def installed_path(self, models_dir: Path) -> Path | None:
        """Where it lies, None when it is not complete."""


class ModelsPage(QWidget):
    """Cards by kind; the model that answers is marked."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_kind(self, "page")
        self._theme = theme
        self._entries: list[Entry] = []
        self._models_dir = Path()
        self._active = ""
        self._canvas = QWidget()
        self._column = QVBoxLayout(self._canvas)
        self._column.setContentsMargins(24, 16, 24, 24)
        self._column.setSpacing(10)
        scroll = QScrollArea()
        scroll.setWidget(self._canvas)
        scroll.setWidgetResizable(True)
        scroll.setAccessibleName("Models")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)

    def show_entries(self, entries: list[Entry], models_dir: Path, active: str = "") -> None:
        """Show the catalogue; `active` is the id or file name of the model that answers."""
        self._entries, self._models_dir, self._active = entries, models_dir, active
        self._fill()

    def set_active(self, active: str) -> None:
        """Mark the model that answers."""
        if active != self._active:
            self._active = active
            self._fill()

    def _fill(self) -> None:
        while (item := self._column.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        self._column.addWidget(label("Models", "title"))
        self._column.addWidget(label(
            "They run on this computer, in processes without a network. Files are checked against the catalogue.",
            tone="muted", wrap=True,
        ))  # fmt: skip
        for kind, (title, text, icon) in _KINDS.items():
            entries = [entry for entry in self._entries if entry.kind == kind]
            if entries:
                self._column.addSpacing(8)
                self._column.addWidget(self._section(title, text))
                self._column.addWidget(self._grid(entries, icon))
        self._column.addStretch(1)

    def _section(self, title: str, text: str) -> QWidget:
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(label(title, "heading"))
        row.addWidget(ElidedLabel(text, tone="muted"), 1)
        return holder

    def _grid(self, entries: list[Entry], icon: str) -> QWidget:
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(12)
        for number, entry in enumerate(entries):
            grid.addWidget(self._card(entry, icon), number // 2, number % 2)
        if len(entries) == 1:
            grid.addWidget(_nothing(), 0, 1)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        return holder

    def _card(self, entry: Entry, icon: str) -> QFrame:
        card = QFrame()
        card.setProperty("kind", "card")
        card.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        installed = entry.installed_path(self._models_dir) is not None
        active = bool(self._active) and self._active in (entry.id, entry.name)
        card.setAccessibleName(f"{entry.name}, {'on this computer' if installed else 'not installed'}")
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(IconLabel(self._theme, icon, "accent" if installed else "muted", 20))
        head.addWidget(ElidedLabel(entry.name, "heading"), 1)
        state, role, sign = (
            ("Answers now", "accent", "circle-check")
            if active
            else (("On this computer", "ok", "circle-check") if installed else ("Not installed", "muted", "package"))
        )
        head.addWidget(IconLabel(self._theme, sign, role))
        head.addWidget(label(state, "small", role))
        column = QVBoxLayout(card)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(ElidedLabel(_facts(entry), "small", "muted"))
        return card


def _nothing() -> QWidget:
    """Fills the second column, so that a single card has the width of every other."""
    widget = QWidget()
    widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return widget


def _facts(entry: Entry) -> str:
    unit = "characters" if entry.kind == "pii" else "tokens"
    parts = [entry.quantisation, words.size(entry.size), f"{words.count(entry.context)} {unit}", entry.licence]
    if entry.memory_mb:
        parts.insert(2, f"{words.memory(entry.memory_mb)} of memory")
    return " · ".join(part for part in parts if part)
