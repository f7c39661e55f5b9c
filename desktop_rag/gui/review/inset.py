"""Room around a notice, which goes when the notice goes."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop_rag.gui.pieces.notice import Notice


class Inset(QWidget):
    """Shows one notice away from the edges; nothing while it says nothing."""

    def __init__(self, notice: Notice) -> None:
        super().__init__()
        self._notice = notice
        room = QVBoxLayout(self)
        room.setContentsMargins(12, 8, 12, 8)
        room.addWidget(notice)
        notice.installEventFilter(self)
        self.setVisible(not notice.isHidden())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Come and go with the notice."""
        if event.type() in (QEvent.Type.ShowToParent, QEvent.Type.HideToParent):
            self.setVisible(not self._notice.isHidden())
        return False
