"""A popover: a small floating card anchored under the control that opened it; Esc or a click outside closes it."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QFrame, QGraphicsDropShadowEffect, QVBoxLayout, QWidget


class Popover(QFrame):
    """Put content in `body`, then call `open_under`."""

    def __init__(self, parent: QWidget, width: int = 320) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        card = QFrame(self)
        card.setProperty("kind", "floating")
        shadow = QGraphicsDropShadowEffect(card)
        shadow.setBlurRadius(24)
        shadow.setOffset(0, 6)
        shadow.setColor(QColor(0, 0, 0, 70))
        card.setGraphicsEffect(shadow)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(16, 8, 16, 24)
        outer.addWidget(card)
        self.body = QVBoxLayout(card)
        self.body.setContentsMargins(16, 14, 16, 14)
        self.body.setSpacing(8)
        self.setFixedWidth(width + 32)

    def open_under(self, anchor: QWidget) -> None:
        """Show under `anchor`: right-aligned with it, or left-aligned where that would leave the window."""
        self.fit()
        corner = anchor.mapToGlobal(QPoint(anchor.width(), anchor.height()))
        left = corner.x() - self.width() + 16
        window = anchor.window()
        edge = window.mapToGlobal(QPoint(0, 0)).x() + 4
        self.move(left if left >= edge else corner.x() - anchor.width(), corner.y())
        self.show()

    def fit(self) -> None:
        """Be as high as the content is now."""
        layout = self.layout()
        if layout is not None:
            layout.activate()
            height = layout.totalHeightForWidth(self.width()) if layout.hasHeightForWidth() else 0
            self.setFixedHeight(height if height > 0 else layout.totalSizeHint().height())
