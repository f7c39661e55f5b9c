"""Blocking work off the window's thread: a `Task` consumes an iterator of events and reports in the window's thread.

Signals are first delivered to the task itself (which lives in the window's thread), so that a
handler may be any callable and never runs in the worker thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal

from desktop_rag.errors import Cancelled, DesktopRagError
from desktop_rag.gui.backend import Event

Source = Callable[[], Iterator[Event]]


class Task(QObject):
    """One piece of background work.

    `happened(dict)` for each event, then exactly one of `done(last event)`, `failed(DesktopRagError)`
    or `cancelled()`, then `finished()`.
    """

    happened = Signal(object)
    done = Signal(object)
    failed = Signal(object)
    cancelled = Signal()
    finished = Signal()
    _arrived = Signal(str, object)

    def __init__(self, source: Source, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source = source
        self._stop = threading.Event()
        self._over = False
        self._last: Event = {}
        self._thread = threading.Thread(target=self._work, daemon=True, name="task")
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def start(self) -> Task:
        """Begin; returns itself so that it can be kept."""
        self._thread.start()
        return self

    def cancel(self) -> None:
        """Stop at the next event; the source is closed, which cancels its request."""
        self._stop.set()

    @property
    def running(self) -> bool:
        """Whether its end has not been reported yet."""
        return not self._over

    def join(self, seconds: float) -> bool:
        """Wait for the thread; whether it ended."""
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def _work(self) -> None:
        # What is none of the known endings is a bug: it goes on to the thread's own hook, and the window is told.
        ending: tuple[str, Any] = ("failed", _bug())
        try:
            self._consume()
            ending = ("cancelled", None) if self._stop.is_set() else ("done", None)
        except Cancelled:
            ending = ("cancelled", None)
        except DesktopRagError as error:
            ending = ("cancelled", None) if self._stop.is_set() else ("failed", error)
        finally:
            self._send(*ending)

    def _consume(self) -> None:
        events = self._source()
        try:
            for event in events:
                if self._stop.is_set():
                    return
                self._send("event", event)
        finally:
            close = getattr(events, "close", None)
            if close is not None:
                close()

    def _send(self, kind: str, payload: Any) -> None:
        try:
            self._arrived.emit(kind, payload)
        except RuntimeError:  # the window was destroyed while the work went on: nobody is left to tell
            self._stop.set()

    def _deliver(self, kind: str, payload: Any) -> None:
        if kind == "event":
            self._last = payload
            if not self._stop.is_set():
                self.happened.emit(payload)
            return
        self._over = True
        if kind == "done":
            self.done.emit(self._last)
        elif kind == "failed":
            self.failed.emit(payload)
        else:
            self.cancelled.emit()
        self.finished.emit()


class Tasks(QObject):
    """The running tasks of one window; `close` ends them all."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._running: set[Task] = set()

    def run(
        self,
        source: Source,
        *,
        event: Callable[[Event], None] | None = None,
        done: Callable[[Event], None] | None = None,
        failed: Callable[[DesktopRagError], None] | None = None,
        finished: Callable[[], None] | None = None,
    ) -> Task:
        """Start work on an iterator of events."""
        task = Task(source, self)
        for signal, handler in (
            (task.happened, event),
            (task.done, done),
            (task.failed, failed),
            (task.finished, finished),
        ):
            if handler is not None:
                signal.connect(handler)
        self._running.add(task)
        task.finished.connect(lambda: self._forget(task))
        return task.start()

    def call(
        self,
        function: Callable[[], Event],
        done: Callable[[Event], None] | None = None,
        failed: Callable[[DesktopRagError], None] | None = None,
    ) -> Task:
        """Start work on one blocking call that returns its result."""
        return self.run(lambda: _once(function), done=done, failed=failed)

    @property
    def count(self) -> int:
        """How many have not reported their end."""
        return len(self._running)

    def cancel_all(self) -> None:
        """Ask every task to stop."""
        for task in self._running:
            task.cancel()

    def join_all(self, seconds: float) -> bool:
        """Wait for every thread, `seconds` each; whether all ended."""
        ended = [task.join(seconds) for task in list(self._running)]
        self._running.clear()
        return all(ended)

    def _forget(self, task: Task) -> None:
        self._running.discard(task)
        task.deleteLater()


def _once(function: Callable[[], Event]) -> Iterator[Event]:
    yield function()


def _bug() -> DesktopRagError:
    return DesktopRagError(
        "bug", "Something in the application went wrong.", "Your documents and questions are safe. Try again."
    )
