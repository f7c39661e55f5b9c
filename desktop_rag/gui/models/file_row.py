"""One file that can be downloaded, or of which a part has arrived: its name, its size, the question, its work."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.models.jobs import Job
from desktop_rag.gui.models.permission import Permission
from desktop_rag.gui.models.work_line import WorkLine
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.labels import ElidedLabel, label
from desktop_rag.gui.theme import Theme


class FileRow(QWidget):
    """`wanted(key, args)` when the network was allowed for it; `stopped(key)`, `removed(key)` from its work.

    `args` is what the download is asked for by; None where nobody knows any more where the file came from.
    """

    wanted = Signal(str, dict)
    stopped = Signal(str)
    removed = Signal(str)

    def __init__(self, theme: Theme, key: str, name: str, size: int | None, args: dict[str, Any] | None) -> None:
        super().__init__()
        self.key, self._args = key, args
        self._size = words.size(size)
        self.get = TextButton(theme, "Download", self.ask, kind="link")
        self.permission = Permission(theme)
        self.work = WorkLine(
            theme,
            lambda: self.stopped.emit(self.key),
            go_on=self.ask if args else None,
            remove=lambda: self.removed.emit(self.key),
        )
        self.permission.left.connect(lambda: self.work.setVisible(self.work.job is not None))
        row = QHBoxLayout()
        row.addWidget(ElidedLabel(name, "small"), 1)
        row.addWidget(label(self._size, "small", "muted"))
        row.addWidget(self.get)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.permission)
        column.addWidget(self.work)
        self.work.hide()

    def ask(self) -> None:
        """The question before the network is opened for this file."""
        args = self._args or {}
        self.work.hide()
        self.permission.ask(
            "Opens the network for this download only.",
            f"{self.work.still_to_come() or self._size or 'The file'} from huggingface.co. It is checked before it is "
            "used.",
            "Open and download",
            lambda: self.wanted.emit(self.key, args),
        )

    def show_job(self, job: Job | None) -> None:
        """Its download."""
        self.work.show_job(job)
        self.permission.hide()
        self.get.setVisible(job is None)
