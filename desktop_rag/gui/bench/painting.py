"""How long a streamed answer takes to reach the screen: the real chat page, fed with the events of a chat worker.

`bench --targets` measures decoding through worker, pipe and painting; this is the painting. It has to
run in the main thread, like every window. Nothing is simulated: the events cross from a task's
thread by a signal, the session grows the answer, the card flushes it to its text view, and the time
counts only once Qt has drawn it. What is drawn goes to a window nobody sees.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, cast

from PySide6.QtCore import QEvent, QEventLoop, QMessageLogContext, QObject, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication, QLayout, QVBoxLayout, QWidget

from desktop_rag.errors import EngineError
from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.chat.answer_card import AnswerCard
from desktop_rag.gui.chat.page import ChatPage
from desktop_rag.gui.chat.session import Session
from desktop_rag.gui.meter.strip import MeterStrip
from desktop_rag.gui.reveal import Reveal
from desktop_rag.gui.tasks import Tasks
from desktop_rag.gui.theme import Theme

_SIZE = (1040, 800)
_JOIN_SECONDS = 5.0
_PATIENCE_SECONDS = 10.0


def paint_stream(events: Iterable[dict[str, Any]]) -> float:
    """Seconds from the first to the last token painted; `events` are those of `complete` or `generate`.

    Raises the DesktopRagError the events raise, and EngineError("start_failed") when they hold no text.
    """
    first, last = painted(events)
    return last - first


def painted(events: Iterable[dict[str, Any]]) -> tuple[float, float]:
    """The `perf_counter` moments at which the first and the last token stood on the screen; errors as `paint_stream`.

    The events are not asked for before the empty answer is on the screen: what a window takes to open is no
    painting of tokens.
    """
    stage = _Stage(_theme(), _Feed(events))
    try:
        return stage.run()
    finally:
        stage.close()


class _Silent:
    """A worker without a process: nobody is asked anything while an answer is painted."""

    hello: dict[str, Any] | None = None
    pid: int | None = None
    busy = False

    def call(self, op: str, **_args: Any) -> Event:
        """No value is known."""
        return {"op": op}

    def cancel(self) -> None:
        """Nothing runs."""


class _Feed:
    """The window's backend with one answer in it: what the iterable holds."""

    def __init__(self, events: Iterable[dict[str, Any]]) -> None:
        self.library = self.chat = self.models = self.answering = _Silent()
        self.text = ""
        self.ready = threading.Event()
        self._events = events

    def answer(self, question: str, **_where: Any) -> Iterator[Event]:
        """The events, between the ones a question begins with and the end."""
        yield {"event": "stored", "conversation": "", "question": question}
        self.ready.wait(_PATIENCE_SECONDS)
        for event in self._events:
            if event.get("event") == "token":
                self.text += str(event.get("text") or "")
                yield event
        yield {"event": "done"}


class _Stage(QObject):
    """The chat page and the meter strip in a window of their own, watched for what they draw."""

    def __init__(self, theme: Theme, feed: _Feed) -> None:
        super().__init__()
        backend = cast(Backend, feed)
        self._feed = feed
        self._tasks = Tasks()
        self._session = Session(backend, self._tasks)
        self._window = QWidget()
        self._page = ChatPage(theme, Reveal(backend, self._tasks, self), self._session)
        meter = MeterStrip(theme, backend)
        self._session.measured.connect(meter.measure)
        self._session.running.connect(meter.set_running)
        self._session.running.connect(self._ran)
        column = QVBoxLayout(self._window)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        column.addWidget(self._page, 1)
        column.addWidget(meter)
        self._window.resize(*_SIZE)
        self._loop = QEventLoop()
        self._card: AnswerCard | None = None
        self._first: float | None = None
        self._last: float | None = None
        self._ended = False

    def run(self) -> tuple[float, float]:
        """Ask, and let the window work until everything is drawn."""
        self._window.show()
        self._page.column.installEventFilter(self)
        self._session.added.connect(self._watch)
        self._page.ask("How fast?")
        self._loop.exec()
        answer = self._page.latest
        if answer is not None and answer.error is not None:
            raise answer.error
        if self._first is None or self._last is None:
            raise EngineError("start_failed", "The model wrote nothing that could be painted.")
        return self._first, self._last

    def _watch(self, entry: object) -> None:
        card = self._page.answer_card(entry)
        if card is not None and self._card is None:
            self._card = card
            card.text.viewport().installEventFilter(self)
            QTimer.singleShot(0, self, self._feed.ready.set)

    def _ran(self, running: bool) -> None:
        if running:
            return
        self._ended = True
        if self._card is None or not self._feed.text.strip():
            self._loop.quit()
        else:
            self._card.text.viewport().update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A text view is about to be drawn: a timer of no length fires right after."""
        if event.type() == QEvent.Type.Paint and self._card is not None and watched is self._card.text.viewport():
            QTimer.singleShot(0, self, self._painted)
        return False

    def _painted(self) -> None:
        if self._card is None or self._card.text.document().isEmpty():
            return
        now = time.perf_counter()
        if self._first is None:
            self._first = now
        if self._ended:
            self._last = now
            self._loop.quit()

    def close(self) -> None:
        """Leave no thread and no widget behind."""
        self._feed.ready.set()
        self._tasks.cancel_all()
        self._tasks.join_all(_JOIN_SECONDS)
        self._window.close()
        self._window.deleteLater()
        self._session.deleteLater()
        self._tasks.deleteLater()
        self.deleteLater()
        QApplication.sendPostedEvents(None, int(QEvent.Type.DeferredDelete))


@cache
def _theme() -> Theme:
    """The look; a terminal has no screen, so its application draws into memory."""
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        qInstallMessageHandler(_say)
        app = QApplication(sys.argv[:1])
    return Theme(app, "light")


def _say(_kind: QtMsgType, _where: QMessageLogContext, text: str) -> None:
    """What Qt says goes to stderr as ever, but for what the offscreen platform says of every window."""
    if "propagateSizeHints" not in text:
        sys.stderr.write(f"{text}\n")
