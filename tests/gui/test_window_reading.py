"""The library page while documents are read: how far reading is, pausing, and going on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from desktop_rag.gui.backend import Event
from desktop_rag.gui.main_window import MainWindow
from tests.gui.script import document
from tests.gui.scripted import ScriptedBackend
from tests.gui.test_window_library import spoken


class SlowReading:
    """An `add` that reads page by page, one each time `step` is given, until it is stopped or let go."""

    def __init__(self, backend: ScriptedBackend, *, entered: bool = True) -> None:
        self.backend, self.entered = backend, entered
        self.reached = threading.Semaphore(0)
        self.stopped = threading.Event()

    def __call__(self, paths: list[str], **_: Any) -> Iterator[Event]:
        try:
            for path in paths:
                name = Path(path).name
                self.backend.rows[name] = document(name, "waiting", pages=None, pages_read=None)
                yield {"event": "document", **self.backend.rows[name], "document": name}
            if self.entered:
                yield {"event": "progress", "files_done": 0, "files_total": len(paths)}
            name = Path(paths[0]).name
            self.backend.rows[name] = document(name, "reading", pages=None, pages_read=None)
            yield {"event": "document", **self.backend.rows[name], "document": name}
            for page in range(1, 41):
                yield {"event": "reading", "document": name, "pages": 40, "pages_read": page, "pages_ocr": page // 2}
                while page == 12 and not self.stopped.wait(0.01):
                    yield {"event": "beat"}
        finally:
            self.stopped.set()


@pytest.fixture
def reading(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> SlowReading:
    """The window while it reads the first of two documents, at page 12."""
    backend.rows.clear()
    window.library.refresh()
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    slow = SlowReading(backend)
    backend.library.script["add"] = slow
    window.show_page("library")
    window.intake.add(["/x/long.pdf", "/x/next.pdf"], window.library.chosen)
    qtbot.waitUntil(lambda: "page 12 of 40" in window.activity.sentence.text())
    return slow


def test_a_row_shows_how_far_its_reading_is(window: MainWindow, qtbot: QtBot, reading: SlowReading) -> None:
    assert "Reading, page 12 of 40 · 6 by OCR" in spoken(window, "long.pdf")
    assert window.activity.sentence.text().startswith("Reading long.pdf · page 12 of 40 · 6 by OCR")
    window.intake.pause()
    qtbot.waitUntil(lambda: window.tasks.count == 0)


def test_the_time_that_is_left_is_told(window: MainWindow, qtbot: QtBot, reading: SlowReading) -> None:
    progress = {"pages": 40, "pages_read": 13, "pages_ocr": 6, "rate": 0.25, "left": 118.0}
    window.library.reading("long.pdf", progress)
    assert "page 13 of 40 · 6 by OCR · 15 pages/min · about 2 min left" in spoken(window, "long.pdf")
    window.intake.pause()
    qtbot.waitUntil(lambda: window.tasks.count == 0)


def test_work_is_paused_and_goes_on(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend, reading: SlowReading
) -> None:
    before = len(backend.library.named("resume"))
    qtbot.mouseClick(window.activity.pause, Qt.MouseButton.LeftButton)
    assert window.intake.paused
    assert window.activity.sentence.text() == "Paused: 2 documents wait"
    assert window.activity.pause.text() == "Go on"
    qtbot.waitUntil(lambda: reading.stopped.is_set() and window.tasks.count == 0)
    assert "Paused" in spoken(window, "long.pdf")
    assert window.activity.isVisible()
    backend.library.script["resume"] = lambda: iter([{"event": "progress", "files_done": 0, "files_total": 2}])
    qtbot.mouseClick(window.activity.pause, Qt.MouseButton.LeftButton)
    assert not window.intake.paused
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert len(backend.library.named("resume")) == before + 1, "what was entered is taken up from the database"
    assert len(backend.library.named("add")) == 1
    assert "Paused" not in spoken(window, "long.pdf")


def test_files_that_were_not_entered_yet_are_asked_for_again(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    slow = SlowReading(backend, entered=False)
    backend.library.script["add"] = slow
    window.intake.add(["/x/long.pdf", "/x/next.pdf"], window.library.chosen)
    qtbot.waitUntil(lambda: "page 12 of 40" in window.activity.sentence.text())
    before = len(backend.library.named("resume"))
    window.intake.pause()
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    backend.library.script["add"] = lambda **_: {"documents": []}
    window.intake.go_on()
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    first, second = backend.library.named("add")
    assert first == second
    assert len(backend.library.named("resume")) == before


def test_new_work_takes_up_what_waits(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend, reading: SlowReading
) -> None:
    window.intake.pause()
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    before = len(backend.library.named("resume"))
    backend.library.script["add"] = lambda **_: {"documents": []}
    window.intake.add(["/x/other.pdf"], window.library.chosen)
    assert not window.intake.paused
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert len(backend.library.named("resume")) == before + 1


def test_gone_on_with_before_it_had_stopped(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend, reading: SlowReading
) -> None:
    before = len(backend.library.named("resume"))
    window.intake.pause()
    window.intake.go_on()
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert len(backend.library.named("resume")) == before + 1
    assert not window.intake.paused
