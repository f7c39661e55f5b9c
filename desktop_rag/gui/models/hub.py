"""Searching Hugging Face: closed until the user opens the network for it, and only the words typed are sent."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui import words
from desktop_rag.gui.backend import Event
from desktop_rag.gui.models import facts
from desktop_rag.gui.models.file_row import FileRow
from desktop_rag.gui.models.jobs import Job
from desktop_rag.gui.models.permission import Permission
from desktop_rag.gui.network import DOWNLOAD, Networking
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.labels import ElidedLabel, label
from desktop_rag.gui.pieces.notice import Notice
from desktop_rag.gui.tasks import Tasks
from desktop_rag.gui.theme import Theme

_MOST = 20
_FILES = 6


class HubSearch(QWidget):
    """`download_wanted(key, args)` when a file was allowed; `stopped(key)` when its download shall end,
    `removed(key)` when what has arrived of it shall go.
    """

    download_wanted = Signal(str, dict)
    stopped = Signal(str)
    removed = Signal(str)

    def __init__(self, theme: Theme, tasks: Tasks, network: Networking, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._tasks, self._network = theme, tasks, network
        self.field = QLineEdit()
        self.field.setPlaceholderText("Search Hugging Face for GGUF models")
        self.field.setAccessibleName("Search Hugging Face")
        self.field.setAcceptDrops(False)
        self.field.returnPressed.connect(self._ask)
        self.button = TextButton(theme, "Search…", self._ask, icon="globe")
        self.permission = Permission(theme)
        self.notice = Notice(theme, closable=True)
        self._results = QVBoxLayout()
        self._results.setSpacing(8)
        self.files: dict[str, FileRow] = {}
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.field, 1)
        row.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(self.permission)
        column.addWidget(self.notice)
        column.addLayout(self._results)

    def _ask(self) -> None:
        query = self.field.text().strip()
        if query:
            self.permission.ask(
                "Opens the network for this search only.",
                f"“{query}” is sent to huggingface.co, nothing else.",
                "Open and search",
                lambda: self._search(query),
            )

    def _search(self, query: str) -> None:
        self.button.setEnabled(False)
        self.notice.say(f"Searching for “{query}”…", kind="calm")
        worker = self._network.begin(DOWNLOAD)
        task = self._tasks.call(
            lambda: worker.call("search", query=query, limit=_MOST),
            lambda answer: self._show(query, answer),
            self._failed,
        )
        task.finished.connect(lambda: self._network.end(DOWNLOAD, worker))
        task.finished.connect(lambda: self.button.setEnabled(True))

    def _failed(self, error: DesktopRagError) -> None:
        self.notice.say_error(error, "Try again", self._ask)

    def _show(self, query: str, answer: Event) -> None:
        self.files.clear()
        while (item := self._results.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        found = list(answer.get("results") or [])
        self.notice.hide()
        if not found:
            self.notice.say(f"Nothing with GGUF files was found for “{query}”.", kind="calm")
        for model in found:
            self._results.addWidget(self._card(model))

    def _card(self, model: dict[str, Any]) -> QFrame:
        card = QFrame()
        card.setProperty("kind", "card")
        repo = str(model.get("repo") or "")
        column = QVBoxLayout(card)
        column.setContentsMargins(14, 10, 12, 10)
        column.setSpacing(2)
        head = QHBoxLayout()
        head.addWidget(ElidedLabel(repo, "heading"), 1)
        about = [str(model.get("licence") or "licence not stated"), facts.parameters(model.get("parameters"))]
        if model.get("gated"):
            about.append("needs an account")
        if model.get("downloads"):
            about.append(f"{words.count(int(model['downloads']))} downloads")
        head.addWidget(label(" · ".join(part for part in about if part), "small", "muted"))
        column.addLayout(head)
        files = list(model.get("files") or [])
        for file in files[:_FILES]:
            entry = self._entry(repo, file)
            self.files[entry.key] = entry
            column.addWidget(entry)
        if len(files) > _FILES:
            column.addWidget(label(f"and {len(files) - _FILES} more files", "small", "muted"))
        return card

    def _entry(self, repo: str, file: dict[str, Any]) -> FileRow:
        name = str(file.get("file") or "")
        args = {"repo": repo, "file": name, **{field: file[field] for field in ("sha256", "size") if file.get(field)}}
        entry = FileRow(self._theme, f"{repo}:{name}", name, file.get("size"), args)
        entry.wanted.connect(self.download_wanted)
        entry.stopped.connect(self.stopped)
        entry.removed.connect(self.removed)
        return entry

    def show_job(self, key: str, job: Job | None) -> None:
        """The work of one of the files found."""
        if key in self.files:
            self.files[key].show_job(job)
