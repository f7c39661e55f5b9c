"""The drop target: the whole window, dimmed, with a dashed frame and one sentence."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from desktop_rag.gui import icons
from desktop_rag.gui.theme import Theme

_VEIL = 0.88


def local_paths(data: QMimeData) -> list[str]:
    """The files and folders of a drag; empty when it carries none."""
    return [url.toLocalFile() for url in data.urls() if url.isLocalFile()] if data.hasUrls() else []


class DropVeil(QWidget):
    """Shown over everything while files are dragged; takes no events itself."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._window = theme, parent
        self._title = ""
        self._sentence = ""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName("Drop to add documents")
        self.hide()

    def show_for(self, collection: str, review: bool) -> None:
        """Cover the window; name where the documents will go."""
        after = "You will review what is private first" if review else "They are cleaned before they are indexed"
        self.show_words(f"Drop to add to {collection}", after)

    def show_words(self, title: str, sentence: str) -> None:
        """Cover the window and say what a drop does."""
        self._title, self._sentence = title, sentence
        self.setGeometry(self._window.rect())
        self.raise_()
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it from the tokens."""
        kit = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        veil = QColor(kit["bg"])
        veil.setAlphaF(_VEIL)
        painter.fillRect(self.rect(), veil)
        frame = QRectF(self.rect()).adjusted(20, 20, -20, -20)
        pen = QPen(QColor(kit["accent"]), 2, Qt.PenStyle.CustomDashLine)
        pen.setDashPattern([5, 4])
        painter.setPen(pen)
        painter.drawRoundedRect(frame, 12, 12)
        self._paint_words(painter, frame)

    def _paint_words(self, painter: QPainter, frame: QRectF) -> None:
        kit = self._theme.tokens
        card = QRectF(0, 0, min(460.0, frame.width() - 40), 160)
        card.moveCenter(frame.center())
        painter.setPen(QColor(kit["line"]))
        painter.setBrush(QColor(kit["raised"]))
        painter.drawRoundedRect(card, 12, 12)
        picture = icons.pixmap("file-plus", kit["accent"], 40, self.devicePixelRatioF())
        middle = frame.center()
        painter.drawPixmap(int(middle.x() - 20), int(middle.y() - 56), picture)
        painter.setPen(QColor(kit["text"]))
        painter.setFont(self._theme.font("title", weight=600))
        first = QRectF(card.left() + 16, middle.y() - 4, card.width() - 32, 28)
        title = painter.fontMetrics().elidedText(self._title, Qt.TextElideMode.ElideMiddle, int(first.width()))
        painter.drawText(first, Qt.AlignmentFlag.AlignCenter, title)
        painter.setPen(QColor(kit["muted"]))
        painter.setFont(self._theme.font("reading"))
        second = QRectF(card.left() + 16, middle.y() + 28, card.width() - 32, 24)
        painter.drawText(second, Qt.AlignmentFlag.AlignCenter, self._sentence)
