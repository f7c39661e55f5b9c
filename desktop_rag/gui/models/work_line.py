"""What a card shows of its work: how far it is, how to stop it, and what can be done when it did not end well."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.models import facts
from desktop_rag.gui.models.jobs import DOWNLOADING, FAILED, RUNNING, Job
from desktop_rag.gui.pieces.bars import ProgressLine
from desktop_rag.gui.pieces.buttons import IconButton, TextButton
from desktop_rag.gui.pieces.labels import ElidedLabel
from desktop_rag.gui.pieces.notice import Notice
from desktop_rag.gui.theme import Theme


class WorkLine(QWidget):
    """Hidden while its card has no work.

    `go_on` takes up a download of an earlier session, after the question that opens the network;
    `remove` deletes what has arrived. Where one is missing, its button is.
    """

    def __init__(
        self,
        theme: Theme,
        stop: Callable[[], object],
        *,
        go_on: Callable[[], object] | None = None,
        remove: Callable[[], object] | None = None,
    ) -> None:
        super().__init__()
        self.job: Job | None = None
        self._go_on = go_on
        self._line = ProgressLine(theme, "Progress")
        self.words = ElidedLabel("", "small", "muted")
        self._stop = IconButton(theme, "x", "Stop", stop, size=14)
        self.notice = Notice(theme)
        self.remove = TextButton(theme, "Remove", remove, kind="quiet")
        self.resume = TextButton(theme, "Continue", self._take_up, icon="download")
        self._removable = remove is not None
        self._progress, self._choices = QWidget(), QWidget()
        self._build()

    def _build(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.words, 1)
        row.addWidget(self._stop)
        inside = QVBoxLayout(self._progress)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(2)
        inside.addLayout(row)
        inside.addWidget(self._line)
        foot = QHBoxLayout(self._choices)
        foot.setContentsMargins(0, 2, 0, 0)
        foot.setSpacing(6)
        foot.addStretch(1)
        foot.addWidget(self.remove)
        foot.addWidget(self.resume)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._progress)
        column.addWidget(self.notice)
        column.addWidget(self._choices)

    def show_job(self, job: Job | None) -> None:
        """Show a job as it is now."""
        self.job = job
        self.setVisible(job is not None)
        if job is None:
            return
        download = job.title == DOWNLOADING
        running, failed = job.state == RUNNING, job.state == FAILED
        self._progress.setVisible(running or (download and not failed))
        self._stop.setVisible(running)
        self._choices.setVisible(not running and (job.left is not None or (download and not failed)))
        self.remove.setVisible(self._removable and job.left is not None)
        self.remove.say(f"Remove the {words.size(job.left['received'])}" if failed and job.left else "Remove")
        self.resume.setVisible(download and not failed and (job.again or self._go_on) is not None)
        self.notice.hide()
        if running:
            self._say(f"{job.title} · {job.text}" if job.text else f"{job.title}…", job.share)
        elif failed and job.error is not None:
            self.notice.say_error(job.error, "Try again", job.again)
        elif download:
            self._say(stopped_words(job), job.share)
        else:
            self.notice.say(f"{job.title} was stopped.", kind="calm", action="Start again", on_action=job.again)

    def still_to_come(self) -> str:
        """How much of a stopped download is missing, or "" where nobody knows."""
        left = self.job.left if self.job is not None else None
        missing = int(left["total"]) - int(left["received"]) if left and left.get("total") else 0
        return f"The missing {words.size(missing)}" if missing > 0 else ""

    def _say(self, text: str, share: float | None) -> None:
        self.words.setText(text)
        self.words.setAccessibleName(text)
        self._line.setVisible(share is not None or self.job is None or self.job.state == RUNNING)
        self._line.set_share(share)

    def _take_up(self) -> None:
        again = self.job.again if self.job is not None else None
        if again is not None:
            again()
        elif self._go_on is not None:
            self._go_on()


def stopped_words(job: Job) -> str:
    """What has arrived of a download that does not run: "Stopped · 312 MB of 398 MB"."""
    if job.left is None:
        return "Stopped · what has arrived is kept"
    return f"Stopped · {facts.received(job.left)}"
