"""A chip that only says something: an engine, a state. What can be pressed is a `ChipButton`."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSizePolicy

from desktop_rag.gui.pieces.labels import restyle


def chip(text: str, tone: str = "", tip: str = "") -> QLabel:
    """A small rounded label; `tone` is a role of the palette."""
    widget = QLabel(text)
    widget.setProperty("kind", "chip")
    widget.setProperty("tone", tone or "muted")
    widget.setTextFormat(Qt.TextFormat.PlainText)
    widget.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    if tip:
        widget.setToolTip(tip)
    return widget


def say(widget: QLabel, text: str, tone: str) -> None:
    """Change the words and the colour of a chip that is on the screen."""
    widget.setText(text)
    widget.setProperty("tone", tone)
    restyle(widget)
