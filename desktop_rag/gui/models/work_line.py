"""What a card shows of its work: how far it is, how to stop it, and how it ended when it did not end well."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop_rag.gui.models.jobs import FAILED, RUNNING, Job
from desktop_rag.gui.pieces.bars import ProgressLine
from desktop_rag.gui.pieces.buttons import IconButton
from desktop_rag.gui.pieces.labels import ElidedLabel
from desktop_rag.gui.pieces.notice import Notice
from desktop_rag.gui.theme import Theme


class WorkLine(QWidget):
    """Hidden while its card has no work."""

    def __init__(self, theme: Theme, stop: Callable[[], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._line = ProgressLine(theme, "Progress")
        self.words = ElidedLabel("", "small", "muted")
        self._stop = IconButton(theme, "x", "Stop", stop, size=14)
        self.notice = Notice(theme)
        self._running = QWidget()
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.words, 1)
        row.addWidget(self._stop)
        inside = QVBoxLayout(self._running)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(2)
        inside.addLayout(row)
        inside.addWidget(self._line)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._running)
        column.addWidget(self.notice)

    def show_job(self, job: Job | None) -> None:
        """Show a job as it is now."""
        self.setVisible(job is not None)
        if job is None:
            return
        running = job.state == RUNNING
        self._running.setVisible(running)
        if running:
            self.notice.hide()
            self.words.setText(f"{job.title} · {job.text}" if job.text else f"{job.title}…")
            self.words.setAccessibleName(self.words.text())
            self._line.set_share(job.share)
        elif job.state == FAILED and job.error is not None:
            self.notice.say_error(job.error, "Try again", job.again)
        else:
            self._say_stopped(job)

    def _say_stopped(self, job: Job) -> None:
        if job.title == "Downloading":
            self.notice.say(
                "The download is stopped. What was loaded is kept.",
                kind="calm",
                action="Resume",
                on_action=job.again,
            )
        else:
            self.notice.say(f"{job.title} was stopped.", kind="calm", action="Start again", on_action=job.again)
