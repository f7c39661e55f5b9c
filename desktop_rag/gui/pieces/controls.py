"""Tick boxes, radio buttons and choices whose indicators are painted from the tokens."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QRadioButton, QStyle, QStyleOptionButton, QWidget

from desktop_rag.gui.theme import Theme
from desktop_rag.gui.tokens import Tokens


def paint_tick(painter: QPainter, area: QRectF, kit: Tokens, state: Qt.CheckState, *, focused: bool = False) -> None:
    """A tick box of the house in `area`: empty, ticked, or partly ticked."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    on = state != Qt.CheckState.Unchecked
    if focused:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(kit["accent"]), 2))
        painter.drawRoundedRect(area.adjusted(-3, -3, 3, 3), 6, 6)
    painter.setPen(QPen(QColor(kit["accent"] if on else kit["muted"]), 1.25))
    painter.setBrush(QColor(kit["accent"] if on else kit["raised"]))
    painter.drawRoundedRect(area, 4, 4)
    if not on:
        return
    painter.setPen(QPen(QColor(kit["on_accent"]), 1.8, c=Qt.PenCapStyle.RoundCap, j=Qt.PenJoinStyle.RoundJoin))
    centre, unit = area.center(), area.width() / 16
    if state == Qt.CheckState.PartiallyChecked:
        painter.drawLine(centre + QPointF(-3.5, 0) * unit, centre + QPointF(3.5, 0) * unit)
    else:
        steps = (QPointF(-3.6, 0.2), QPointF(-1.1, 2.8), QPointF(3.8, -2.8))
        painter.drawPolyline(QPolygonF([centre + step * unit for step in steps]))


class Tick(QCheckBox):
    """A tick box."""

    def __init__(self, theme: Theme, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._theme = theme
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it from the tokens."""
        painter = QPainter(self)
        box = _indicator(self, QStyle.SubElement.SE_CheckBoxIndicator)
        paint_tick(
            painter, QRectF(box).adjusted(1, 1, -1, -1), self._theme.tokens, self.checkState(), focused=self.hasFocus()
        )
        _words(painter, self, box)


class Radio(QRadioButton):
    """One of several."""

    def __init__(self, theme: Theme, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._theme = theme
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it from the tokens."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        kit = self._theme.tokens
        box = _indicator(self, QStyle.SubElement.SE_RadioButtonIndicator)
        circle = QRectF(box).adjusted(1, 1, -1, -1)
        if self.hasFocus():
            painter.setPen(QPen(QColor(kit["accent"]), 2))
            painter.drawEllipse(circle.adjusted(-3, -3, 3, 3))
        painter.setPen(QPen(QColor(kit["accent"] if self.isChecked() else kit["muted"]), 1.25))
        painter.setBrush(QColor(kit["raised"]))
        painter.drawEllipse(circle)
        if self.isChecked():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(kit["accent"]))
            painter.drawEllipse(circle.adjusted(4, 4, -4, -4))
        _words(painter, self, box)


class Choice(QComboBox):
    """A list to choose from; the wheel does not change it."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        theme.changed.connect(self.update)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel belongs to the page around it: to scroll past a choice must not change it."""
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it from the tokens."""
        super().paintEvent(event)
        painter = QPainter(self)
        place = QRect(self.width() - 26, (self.height() - 16) // 2, 16, 16)
        self._theme.icon("chevron-down", "muted").paint(painter, place)


def _indicator(button: QCheckBox | QRadioButton, element: QStyle.SubElement) -> QRect:
    option = QStyleOptionButton()
    button.initStyleOption(option)
    return button.style().subElementRect(element, option, button)


def _words(painter: QPainter, button: QCheckBox | QRadioButton, box: QRect) -> None:
    painter.setPen(button.palette().color(button.foregroundRole()))
    area = button.rect().adjusted(box.right() + 10, 0, 0, 0)
    painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextShowMnemonic, button.text())
