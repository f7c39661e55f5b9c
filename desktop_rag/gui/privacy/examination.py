"""One examination of privacy: it runs, can be stopped, and leaves a result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop_rag.gui.backend import Event
from desktop_rag.gui.tasks import Task, Tasks


class Examination(QObject):
    """`changed` at every step; `failed(error)` when it could not begin or broke off."""

    changed = Signal()
    failed = Signal(object)

    def __init__(self, tasks: Tasks, source: Callable[[], Iterator[Event]], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks, self._source = tasks, source
        self._task: Task | None = None
        self.text = ""
        self.share: float | None = None
        self.stopping = False
        self.result: dict[str, Any] = {}
        self.date = ""

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self._task is not None

    def run(self) -> None:
        """Begin; an earlier result goes."""
        if not self.running:
            self.text, self.share, self.stopping, self.result = "", None, False, {}
            self._task = self._tasks.run(
                self._source, event=self._take, done=self._keep, failed=self.failed.emit, finished=self._over
            )
            self.changed.emit()

    def stop(self) -> None:
        """Stop at the next step."""
        if self._task is not None:
            self.stopping = True
            self._task.cancel()
            self.changed.emit()

    def _take(self, event: Event) -> None:
        if event.get("event") == "progress":
            self.text, self.share = str(event["text"]), float(event["fraction"])
            self.changed.emit()

    def _keep(self, event: Event) -> None:
        self.result = {key: value for key, value in event.items() if key not in ("event", "id")}
        self.date = time.strftime("%Y-%m-%d %H:%M")

    def _over(self) -> None:
        self._task, self.stopping = None, False
        self.changed.emit()
