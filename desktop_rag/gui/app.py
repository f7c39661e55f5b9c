"""Where the window is composed: application, theme, workers, window."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QMessageBox

from desktop_rag import paths
from desktop_rag.errors import DesktopRagError
from desktop_rag.gui.backend import Backend, Event, Worker
from desktop_rag.gui.desk import Desk
from desktop_rag.gui.display import check_display
from desktop_rag.gui.handover import meet
from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.network import REMOTE
from desktop_rag.gui.polite_end import PoliteEnd
from desktop_rag.gui.theme import Theme
from desktop_rag.logs import log, open_log
from desktop_rag.settings import Settings

if TYPE_CHECKING:
    from desktop_rag.answering.answer import Choice
    from desktop_rag.workers.client import WorkerClient


class WorkersBackend:
    """The real backend: child processes, and the generators that answer and measure with them."""

    def __init__(self, data_dir: Path, settings: Settings) -> None:
        from desktop_rag.workers.crew import Workers

        self._settings = settings
        self._workers = Workers(data_dir, opening="ask")
        self._answering: Worker | None = None
        self._uses: dict[Worker, WorkerClient] = {}

    @property
    def library(self) -> Worker:
        """The process that owns the data."""
        return self._workers.library

    @property
    def chat(self) -> Worker:
        """The process that holds the model."""
        return self._workers.chat

    @property
    def models(self) -> Worker:
        """The process that reads, converts and places models."""
        return self._workers.models

    @property
    def running(self) -> Sequence[Worker]:
        """Every process of this window."""
        return self._workers.running

    @property
    def answering(self) -> Worker:
        """The process that writes answers now."""
        return self._answering or self._workers.chat

    def network(self, purpose: str) -> Worker:
        """Another process that may open connections, so that what stops one use stops no other."""
        worker = self._workers.fresh("network", "--purpose", purpose, "--opened")
        self._uses[worker] = worker
        return worker

    def leave_network(self, worker: Worker | None = None) -> None:
        """End one of them, or all."""
        for one in [worker] if worker is not None else list(self._uses):
            if (held := self._uses.pop(one, None)) is not None:
                held.close()
        if worker is None:
            self._workers.leave_network()

    def load(self) -> Event:
        """Make ready what the settings say shall answer."""
        choice = self._choice()
        if choice.worker is self._workers.chat:
            return choice.worker.call("load")
        return {**choice.worker.call("status"), "engine": choice.engine, "remote": True}

    def answer(
        self, question: str, *, collection: int | str | None, conversation: str | None, strategy: str | None = None
    ) -> Iterator[Event]:
        """One question, with the user's settings."""
        from desktop_rag.answering.answer import answer
        from desktop_rag.workers.team import nearest

        choice = self._choice()
        yield from answer(
            self._workers,
            question,
            collection=collection,
            conversation=conversation,
            max_tokens=int(self._settings["max_tokens"]),
            choice=choice,
            strategy=strategy,
            near=partial(nearest, self._workers),
        )

    def _choice(self) -> Choice:
        from desktop_rag.workers.choice import choose

        choice = choose(self._workers)
        local = choice.worker is self._workers.chat
        self._answering = self._workers.chat if local else self._workers.network(REMOTE)
        return choice

    def benchmark(self, engines: list[str]) -> Iterator[Event]:
        """Measure these engines with the model that is chosen."""
        from desktop_rag.evaluation import running

        return running.bench(self._workers, running.Choice(engines=tuple(engines)))

    def benchmarks(self, kind: str) -> list[Event]:
        """The records of earlier runs of a kind."""
        from desktop_rag.evaluation.records import recent

        return recent(self._workers.data_dir, kind)

    def probe(self, engines: list[str]) -> Iterator[Event]:
        """Find out what these engines can do."""
        from desktop_rag.evaluation.probing import probe
        from desktop_rag.evaluation.running import Choice as Wanted

        return probe(self._workers, Wanted(engines=tuple(engines)))

    def evaluate(self, folder: Path) -> Iterator[Event]:
        """Measure the search by a judged set, in a library of its own."""
        from desktop_rag.evaluation import retrieval
        from desktop_rag.workers.crew import Workers

        return retrieval.evaluate(Workers, [folder])

    def selftest(self) -> Iterator[Event]:
        """Plant invented personal data, and see how much is found and where it goes."""
        from desktop_rag.evaluation import selftest
        from desktop_rag.workers.crew import Workers

        return selftest.selftest(self._workers, Workers)

    def egress(self) -> list[Event]:
        """Every connection that was permitted or refused."""
        from desktop_rag.privacy import egress

        return egress.read(self._workers.data_dir)

    def close(self) -> None:
        """End every process."""
        self.leave_network()
        self._workers.close()


def application(argv: list[str]) -> QApplication:
    """The Qt application with its names and icon."""
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(argv)
    app.setApplicationName("desktop-rag")
    app.setApplicationDisplayName("Desktop RAG")
    app.setDesktopFileName("desktop-rag")
    picture = paths.assets_dir() / "icons" / "app.svg"
    if picture.exists():
        app.setWindowIcon(QIcon(str(picture)))
    return app


def open_window(backend: Backend, theme: Theme, settings: Settings, data_dir: Path) -> MainWindow:
    """Show the window at once; the library starts after its first paint."""
    window = MainWindow(backend, theme, settings, data_dir)
    window.show()
    QTimer.singleShot(0, window.startup, window.startup.begin)
    return window


def run(data_dir: Path, files: Sequence[str] = ()) -> int:
    """Open the window on a data directory, perhaps with files to add; returns the exit code when it is closed.

    Where a window has it open already, that one gets the files. Raises UsageError("no_display" or "window_hangs").
    """
    check_display()
    app = application(sys.argv[:1])
    reception = meet(data_dir, list(files))
    if reception is None:
        return 0
    settings = Settings(data_dir)
    desk = Desk(app, settings, data_dir, lambda: WorkersBackend(data_dir, settings))
    open_log(data_dir, "window")
    desk.window.startup.opened.connect(_log_start, Qt.ConnectionType.SingleShotConnection)
    reception.asked.connect(desk.bring)
    desk.take([str(Path(file).absolute()) for file in files])
    polite = PoliteEnd(lambda: desk.window.close())
    desk.open()
    code = app.exec()
    polite.stop()
    reception.close()
    desk.close()
    return code


def _log_start() -> None:
    """From the start of the process to a window that can be used; packages are compared by it."""
    import psutil  # type: ignore[import-untyped]

    log.info("usable %.2f s after the start of the process", time.time() - psutil.Process().create_time())


def refuse(error: DesktopRagError) -> None:
    """Show what keeps the window from opening: who started it from a menu sees no terminal."""
    with suppress(DesktopRagError):
        check_display()
        app = application(sys.argv[:1])
        Theme(app)
        box = QMessageBox(QMessageBox.Icon.Critical, "Desktop RAG", error.message)
        box.setInformativeText(error.hint)
        box.exec()
