"""Which purposes have the network open, as the window knows it: the shield shows it, the last user closes it."""

from __future__ import annotations

from collections import Counter
from functools import partial

from PySide6.QtCore import QObject, Signal

from desktop_rag.gui.backend import Backend, Event, Worker
from desktop_rag.gui.tasks import Tasks

DOWNLOAD, REMOTE = "download", "remote_model"
_WORDS = {DOWNLOAD: "Open for a download", REMOTE: "Open for the remote model", "loopback": "Open to itself only"}


class Networking(QObject):
    """Counts the uses of each purpose; the process of a purpose ends with its last use."""

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

    def begin(self, purpose: str) -> None:
        """A person allowed one use of this purpose."""
        self._uses[purpose] += 1
        self.changed.emit()

    def worker(self, purpose: str) -> Worker:
        """The process of a purpose that was begun; call it in a task."""
        return self._backend.network(purpose, opened=True)

    def end(self, purpose: str) -> None:
        """This use is over; nobody else's use is cut off."""
        self._uses[purpose] -= 1
        if self._uses[purpose] <= 0:
            del self._uses[purpose]
            self._tasks.call(partial(_leave, self._backend, purpose))
        self.changed.emit()


def _leave(backend: Backend, purpose: str) -> Event:
    backend.leave_network(purpose)
    return {}
