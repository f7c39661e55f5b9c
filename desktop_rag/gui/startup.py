"""The start: the window paints first, then the library opens, then the model loads."""

from __future__ import annotations

import os

from PySide6.QtCore import QObject, Signal

from desktop_rag.errors import DesktopRagError, StoreError
from desktop_rag.gui.backend import Backend, Event, Worker
from desktop_rag.gui.library.state import LibraryState
from desktop_rag.gui.tasks import Tasks


class Startup(QObject):
    """`opened()` when the library answers, else `refused(error)`; then `model_loaded(event)` or `model_failed(error)`.

    `worker_state(role, state)` repeats the workers' own words in the window's thread.
    """

    opened = Signal()
    refused = Signal(object)
    model_loaded = Signal(dict)
    model_failed = Signal(object)
    examined = Signal(dict)
    samples_wanted = Signal()
    worker_state = Signal(str, str)

    def __init__(self, backend: Backend, tasks: Tasks, library: LibraryState, parent: QObject) -> None:
        super().__init__(parent)
        self._backend, self._tasks, self._library = backend, tasks, library
        self._listen("library", backend.library)
        self._listen("chat", backend.chat)

    def _listen(self, role: str, worker: Worker) -> None:
        def tell(state: str) -> None:
            try:
                self.worker_state.emit(role, state)
            except RuntimeError:  # a reader thread outlives the window for a moment
                worker.on_state = None

        worker.on_state = tell

    def begin(self) -> None:
        """Open the library; call it after the first paint, and again to retry."""
        self._tasks.call(lambda: self._backend.library.call("collections"), self._opened, self.refused.emit)

    def _opened(self, answer: Event) -> None:
        self.opened.emit()
        if os.environ.get("DESKTOP_RAG_SAMPLES") == "1" and not any(c["documents"] for c in answer["collections"]):
            self.samples_wanted.emit()
        self._library.refresh()
        self.load()
        self.examine()
        # The first question would wait for these; a failure shows where the part is needed.
        self._tasks.call(lambda: self._backend.library.call("warm"))

    def load(self) -> None:
        """Make ready what shall answer by the settings."""
        self._tasks.call(self._backend.load, self._loaded, self.model_failed.emit)

    def load_again(self) -> None:
        """The choice of model, or how it is put into memory, has changed."""
        self._tasks.call(self._fresh, self._loaded, self.model_failed.emit)

    def _fresh(self) -> Event:
        # A process of its own gives back all the memory of the model before.
        self._backend.chat.kill()
        return self._backend.load()

    def _loaded(self, event: Event) -> None:
        self.model_loaded.emit(event)
        chat = self._backend.chat
        if "tune" in ((chat.hello or {}).get("capabilities") or ()):
            # Measured once for this machine and model, in steps that give way to questions; nobody waits for it.
            self._tasks.run(lambda: chat.stream("tune"))

    def examine(self) -> None:
        """Ask the library for the state of everything."""
        self._tasks.call(lambda: self._backend.library.call("doctor"), self.examined.emit)


def keeps_closed(error: DesktopRagError) -> bool:
    """Whether an error means that there is no library to show."""
    return isinstance(error, StoreError)
