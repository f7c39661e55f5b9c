"""Labels: a step of the type scale, a tone of colour, and eliding where the width is not ours to choose."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QWidget

from desktop_rag.gui.theme import Theme
from desktop_rag.gui.visible import tip


def label(
    text: str, step: str = "body", tone: str = "", *, wrap: bool = False, parent: QWidget | None = None
) -> QLabel:
    """A label with a step ("small", "reading", "heading", "title", "display") and a tone ("muted", "bad", ...)."""
    widget = QLabel(text, parent)
    widget.setProperty("step", step)
    if tone:
        widget.setProperty("tone", tone)
    widget.setWordWrap(wrap)
    widget.setTextFormat(Qt.TextFormat.PlainText)
    if wrap:
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        widget.setSizePolicy(policy)
    return widget


def set_tone(widget: QWidget, tone: str) -> None:
    """Change the colour role of a label that is already on the screen."""
    widget.setProperty("tone", tone)
    restyle(widget)


def restyle(widget: QWidget) -> None:
    """Make the style sheet look at a widget's properties again."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()


def set_kind(widget: QWidget, kind: str) -> None:
    """Give a plain widget a ground of the style sheet ("page", "surface"); Qt paints none for subclasses otherwise."""
    widget.setProperty("kind", kind)
    widget.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)


def line(vertical: bool = False) -> QFrame:
    """A one pixel line between two surfaces."""
    frame = QFrame()
    frame.setProperty("kind", "line")
    if vertical:
        frame.setFixedWidth(1)
    else:
        frame.setFixedHeight(1)
    return frame


class ElidedLabel(QLabel):
    """One line that ends in "…" when there is no room; the whole text is in the tooltip then."""

    def __init__(self, text: str = "", step: str = "body", tone: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setProperty("step", step)
        if tone:
            self.setProperty("tone", tone)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.mode = Qt.TextElideMode.ElideRight

    def minimumSizeHint(self) -> QSize:
        """The least size that still makes sense."""
        return QSize(min(40, super().sizeHint().width()), super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:
        """The size that shows everything."""
        hint = super().sizeHint()
        return QSize(hint.width() + 2, hint.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the content to the new size."""
        super().resizeEvent(event)
        clipped = self.fontMetrics().horizontalAdvance(self.text()) > self.contentsRect().width()
        self.setToolTip(tip(self.text()) if clipped else "")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it from the tokens."""
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        area = self.contentsRect()
        text = self.fontMetrics().elidedText(self.text(), self.mode, area.width())
        painter.drawText(area, int(self.alignment() | Qt.AlignmentFlag.AlignVCenter), text)


class IconLabel(QLabel):
    """An icon without a function; its meaning is always also in words beside it."""

    def __init__(
        self, theme: Theme, name: str, role: str = "muted", size: int = 16, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme, self._name, self._role, self._size = theme, name, role, size
        self.setFixedSize(size, size)
        theme.watch(self._refresh)

    def show_icon(self, name: str, role: str) -> None:
        """Change the picture."""
        self._name, self._role = name, role
        self._refresh()

    def _refresh(self) -> None:
        self.setPixmap(self._theme.pixmap(self._name, self._role, self._size, self))
