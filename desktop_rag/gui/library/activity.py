"""The bar for background work: documents being read, and documents that wait for their review."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui import words
from desktop_rag.gui.backend import Event
from desktop_rag.gui.library.intake import Intake
from desktop_rag.gui.library.state import LibraryState
from desktop_rag.gui.pieces.buttons import IconButton, TextButton
from desktop_rag.gui.pieces.labels import ElidedLabel, IconLabel, set_kind
from desktop_rag.gui.theme import Theme


class ActivityBar(QWidget):
    """Hidden when nothing goes on; `review_wanted()` and `library_wanted()` by its buttons."""

    review_wanted = Signal()
    library_wanted = Signal()

    def __init__(self, theme: Theme, library: LibraryState, intake: Intake, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_kind(self, "surface")
        self.setFixedHeight(44)
        self._theme, self._library, self._intake = theme, library, intake
        self._share = 0.0
        self._quiet = False
        self._working = ""
        self._error: DesktopRagError | None = None
        self._icon = IconLabel(theme, "scan-text", "accent")
        self.sentence = ElidedLabel("")
        self.review = TextButton(theme, "Review", self.review_wanted.emit, kind="primary", icon="list-checks")
        self._show = TextButton(theme, "Show", self.library_wanted.emit, kind="quiet")
        self.pause = TextButton(theme, "Pause", self._pause, kind="quiet", icon="pause")
        self._close = IconButton(theme, "x", "Dismiss", self._dismiss)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 4, 12, 4)
        row.setSpacing(10)
        row.addWidget(self._icon)
        row.addWidget(self.sentence, 1)
        for part in (self._show, self.pause, self.review, self._close):
            row.addWidget(part)
        intake.progress.connect(self._progress)
        intake.encoding.connect(self._encoding)
        intake.settled.connect(self._settled)
        intake.failed.connect(self._failed)
        intake.paused_changed.connect(self.refresh)
        library.documents_changed.connect(self.refresh)
        library.document_moved.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Say what goes on now."""
        waiting = self._library.reviewing()
        # Taking up unfinished work at the start says nothing until there is some.
        paused = self._intake.paused
        working = paused or (self._intake.running and bool(self._working))
        self.review.setVisible(bool(waiting))
        self.review.say(f"Review {words.plural(len(waiting), 'document')}")
        self._close.setVisible(self._error is not None)
        self.pause.setVisible(working and self._error is None)
        self.pause.say("Go on" if paused else "Pause")
        self.pause.show_icon("play" if paused else "pause")
        if self._error is not None:
            self._icon.show_icon("circle-alert", "bad")
            self.sentence.setText(" ".join(part for part in (self._error.message, self._error.hint) if part))
        elif paused:
            self._icon.show_icon("pause", "muted")
            self.sentence.setText(self._paused_words())
        elif working:
            self._icon.show_icon("scan-text", "accent")
            self.sentence.setText(self._working)
        elif waiting:
            self._icon.show_icon("list-checks", "private")
            self.sentence.setText(
                f"{words.plural(len(waiting), 'document')} read. Nothing is indexed before you have looked."
            )
        self.sentence.setAccessibleName(self.sentence.text())
        self.setVisible(working or self._error is not None or (bool(waiting) and not self._quiet))
        self.update()

    def set_page(self, page: str) -> None:
        """Offer nothing that is already on the screen."""
        self._quiet = page == "review"
        self._show.setVisible(page != "library")
        self.refresh()

    def _paused_words(self) -> str:
        waiting = self._library.waiting()
        if not waiting:
            return "Paused."
        return f"Paused: {words.plural(waiting, 'document')} {'waits' if waiting == 1 else 'wait'}"

    def _pause(self) -> None:
        if self._intake.paused:
            self._intake.go_on()
        else:
            self._intake.pause()

    def _progress(self, done: int, total: int, name: str) -> None:
        self._error = None
        self._share = done / total if total else 0.0
        self._working = " · ".join(
            part
            for part in (
                f"Reading {words.file_name(name)}",
                self._intake.page,
                f"{words.count(done)} of {words.count(total)} done" if total > 1 else "",
            )
            if part
        )
        self.refresh()

    def _encoding(self, event: Event) -> None:
        self._share = words.encoded(event)
        self._working = (
            f"“{event['collection']}” is encoded anew with {event['encoder']} · "
            f"{words.count(int(event['passages_done']))} of {words.plural(int(event['passages']), 'passage')} · "
            "it can be searched meanwhile"
        )
        self.refresh()

    def _settled(self) -> None:
        self._working, self._share = "", 0.0
        self.refresh()

    def _failed(self, error: DesktopRagError) -> None:
        self._error = error
        self.refresh()

    def _dismiss(self) -> None:
        self._error = None
        self.refresh()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it from the tokens."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.colour("surface"))
        painter.fillRect(QRectF(0, 0, self.width(), 1), self._theme.colour("line"))
        if self._intake.running or self._intake.paused:
            painter.setPen(Qt.PenStyle.NoPen)
            role = "muted" if self._intake.paused else "accent"
            painter.fillRect(QRectF(0, 0, self.width() * max(0.04, self._share), 2), self._theme.colour(role))
