"""What text views have in common: they show words and load nothing, whatever the words name."""

from __future__ import annotations

from PySide6.QtCore import QUrl
from PySide6.QtGui import QImage, QTextDocument
from PySide6.QtWidgets import QTextBrowser, QTextEdit, QWidget

_PICTURE = QTextDocument.ResourceType.ImageResource.value


class InertEdit(QTextEdit):
    """A text view that opens no picture, style sheet or page by itself."""

    def loadResource(self, type: int, name: QUrl | str) -> object:
        """An empty picture or text, for every address."""
        return _nothing(type)


class InertBrowser(QTextBrowser):
    """The same with links, which only tell that they were clicked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setOpenLinks(False)

    def loadResource(self, type: int, name: QUrl | str) -> object:
        """An empty picture or text, for every address."""
        return _nothing(type)


def _nothing(kind: int) -> object:
    """Something, for Qt looks for a file itself where it is given nothing at all."""
    if kind != _PICTURE:
        return " "
    dot = QImage(1, 1, QImage.Format.Format_ARGB32)
    dot.fill(0)
    return dot
