"""The frame of a page that scrolls: a column of content under a title, as wide as its words may run."""

from __future__ import annotations

from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget


def scrolling_column(page: QWidget, name: str, *, width: int | None = None) -> QVBoxLayout:
    """Fill a page with a column that scrolls, and return the column; `name` is what screen readers call it."""
    canvas = QWidget()
    if width is not None:
        canvas.setMaximumWidth(width)
    column = QVBoxLayout(canvas)
    column.setContentsMargins(24, 16, 24, 24)
    column.setSpacing(12)
    scroll = QScrollArea()
    scroll.setWidget(canvas)
    scroll.setWidgetResizable(True)
    scroll.setAccessibleName(name)
    outer = QVBoxLayout(page)
    outer.setContentsMargins(0, 0, 0, 0)
    outer.addWidget(scroll)
    return column
