"""Which purposes have the network open, as the window knows it: the shield shows it, each use has its own process."""

from __future__ import annotations

from collections import Counter
from functools import partial

from PySide6.QtCore import QObject, Signal

from desktop_rag.gui.backend import Backend, Event, Worker
from desktop_rag.gui.tasks import Tasks

DOWNLOAD, REMOTE = "download", "remote_model"
_WORDS = {DOWNLOAD: "Open for a download", REMOTE: "Open for the remote model", "loopback": "Open to itself only"}


class Networking(QObject):
    """Counts the uses of each purpose; the process of a use ends with it."""

    changed = Signal()

    def __init__(self, backend: Backend, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._backend, self._tasks = backend, tasks
        self._uses: Counter[str] = Counter()

    @property
    def purposes(self) -> list[str]:
        """What the network is open for now."""
        return [purpose for purpose, uses in self._uses.items() if uses > 0]

    @property
    def word(self) -> str:
        """What the shield says, or "" while the network is closed."""
        return _WORDS.get(self.purposes[0], "Network open") if self.purposes else ""

    def begin(self, purpose: str) -> Worker:
        """A person allowed one use of this purpose: the process for it, which starts with its first request."""
        self._uses[purpose] += 1
        self.changed.emit()
        return self._backend.network(purpose)

    def end(self, purpose: str, worker: Worker) -> None:
        """This use is over, and its process with it; nobody else's use is cut off."""
        self._uses[purpose] -= 1
        if self._uses[purpose] <= 0:
            del self._uses[purpose]
        self._tasks.call(partial(_leave, self._backend, worker))
        self.changed.emit()


def _leave(backend: Backend, worker: Worker) -> Event:
    backend.leave_network(worker)
    return {}
