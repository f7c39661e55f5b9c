"""The whole journey through the window with the real workers and the starter models: drop, review, index, ask, open."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop_rag import paths
from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.sources.pane import VIEWER
from tests.gui.real import ON_REAL_WORKERS, PATIENCE_MS, idle

REPORT = paths.assets_dir() / "samples" / "pump-maintenance-report.pdf"
pytestmark = ON_REAL_WORKERS


@pytest.fixture
def real(open_real: Callable[[], MainWindow]) -> MainWindow:
    """A window on real workers and an empty library."""
    return open_real()


def add_the_report(window: MainWindow, qtbot: QtBot) -> None:
    """Drop the report, look at the review, index it."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(REPORT))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(window, QDragEnterEvent(QPointF(400, 300), Qt.DropAction.CopyAction, data, buttons, keys))
    QApplication.sendEvent(window, QDropEvent(QPointF(400, 300), Qt.DropAction.CopyAction, data, buttons, keys))
    qtbot.waitUntil(lambda: bool(window.library.reviewing()), timeout=PATIENCE_MS)
    idle(window, qtbot)
    window.activity.review.click()
    qtbot.waitUntil(lambda: bool(window.review.decisions), timeout=PATIENCE_MS)
    (decisions,) = window.review.decisions.values()
    replaced = {span.text for span in decisions.spans if span.replace}
    assert {"Daniel Hughes", "+44 20 7946 0182", "GB29 NWBK 6016 1331 9268 19"} <= replaced
    window.review.index.click()
    idle(window, qtbot)
    assert [row["state"] for row in window.library.documents()] == ["ready"]


def ask(window: MainWindow, qtbot: QtBot, question: str) -> None:
    """Type a question, press Enter, wait for the end."""
    window.show_page("chat")
    window.chat.composer.edit.setFocus()
    qtbot.keyClicks(window.chat.composer.edit, question)
    qtbot.keyClick(window.chat.composer.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not window.session.is_running, timeout=PATIENCE_MS)
    idle(window, qtbot)


def test_from_a_dropped_file_to_the_highlighted_passage(real: MainWindow, qtbot: QtBot) -> None:
    add_the_report(real, qtbot)
    # The words are the starter model's, and hang on the name that stands for the real one: what it cites does not.
    ask(real, qtbot, "Which hand did Daniel Hughes cut?")
    answer = real.chat.latest
    assert answer is not None
    assert answer.text
    assert "Hughes" not in answer.text + answer.question, "a real name was stored"
    cited = next(item for item in answer.citations if "hand" in item["text"])
    card = real.chat.answer_card(answer)
    assert card is not None
    place = card.text.chip_position(cited["marker"])
    assert place is not None
    with qtbot.waitSignal(real.pane.viewer.shown, timeout=PATIENCE_MS):
        qtbot.mouseClick(card.text.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert real.pane.tab == VIEWER
    assert real.pane.viewer.pages.page == cited["page"] == 3
    assert real.pane.viewer.pages.boxes
    assert "tok/s" in real.meter.spoken()
    assert not real.meter.spoken().startswith("—")


def test_a_killed_model_leaves_its_words_and_the_next_question_works(real: MainWindow, qtbot: QtBot) -> None:
    add_the_report(real, qtbot)
    real.show_page("chat")
    real.chat.ask("Describe the findings of the inspection of the pump in detail.")
    qtbot.waitUntil(lambda: real.chat.latest is not None and len(real.chat.latest.text) > 20, timeout=PATIENCE_MS)
    pid = real.backend.chat.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: not real.session.is_running, timeout=PATIENCE_MS)
    broken = real.chat.latest
    assert broken is not None
    assert broken.text
    assert broken.partial_reason == "crashed"
    ask(real, qtbot, "What did Daniel Hughes cut?")
    assert real.chat.latest is not None
    # What it says hangs on how much of the broken answer it was shown: the starter model goes on with that.
    assert real.chat.latest.error is None
    assert real.chat.latest.text
    assert not real.chat.latest.partial
