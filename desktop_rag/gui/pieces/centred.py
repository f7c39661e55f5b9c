"""A page with one thing to say: a column in the middle, and words in the middle of it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop_rag.gui.pieces.labels import label


def centred_column(page: QWidget, width: int) -> QVBoxLayout:
    """A column in the middle of a page, somewhat above the half of its height."""
    inner = QWidget()
    inner.setMaximumWidth(width)
    column = QVBoxLayout(inner)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(10)
    outer = QVBoxLayout(page)
    outer.addStretch(2)
    centre = QHBoxLayout()
    centre.addStretch(1)
    centre.addWidget(inner, 100)
    centre.addStretch(1)
    outer.addLayout(centre)
    outer.addStretch(3)
    return column


def centred_words(text: str, step: str = "body", tone: str = "") -> QLabel:
    """Words that wrap, in the middle."""
    words = label(text, step, tone, wrap=True)
    words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    return words
