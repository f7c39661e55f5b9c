"""The first start with samples, and going on after the library process died."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from desktop_rag.errors import EngineError
from desktop_rag.gui.app import open_window
from desktop_rag.gui.backend import Event
from desktop_rag.gui.library.intake import MOST_RESTARTS
from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.theme import Theme
from desktop_rag.settings import Settings
from desktop_rag.workers.protocol import UPGRADING
from tests.gui.scripted import ScriptedBackend


@pytest.mark.parametrize(("wanted", "documents"), [("1", False), ("0", False), ("1", True)])
def test_samples_are_added_once_and_only_where_they_are_wanted(
    qtbot: QtBot, theme: Theme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str, documents: bool
) -> None:
    monkeypatch.setenv("DESKTOP_RAG_SAMPLES", wanted)
    backend = ScriptedBackend(documents=documents)
    window = open_window(backend, theme, Settings(tmp_path), tmp_path)
    qtbot.addWidget(window)
    qtbot.waitUntil(lambda: window.library.loaded and window.tasks.count == 0)
    added = backend.library.named("add")
    window.close()
    assert len(added) == (1 if wanted == "1" and not documents else 0)
    for call in added:
        assert (call["collection"], call["review"]) == ("Sample documents", False)
        assert {Path(path).suffix for path in call["paths"]} == {".pdf", ".docx", ".md"}


def test_what_a_dead_library_left_is_taken_up_again(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend, tmp_path: Path
) -> None:
    def die(**_: Any) -> Iterator[Event]:
        raise EngineError("crashed", "The library process stopped unexpectedly.", retryable=True)
        yield {}

    backend.library.script["add"] = die
    before = len(backend.library.named("resume"))
    window.intake.add([str(tmp_path)], None)
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert len(backend.library.named("resume")) == before + 1
    backend.library.script["resume"] = die
    window.intake.add([str(tmp_path)], None)
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    assert len(backend.library.named("resume")) == before + 1 + MOST_RESTARTS, "it does not try for ever"


def test_an_older_library_is_told_while_it_is_brought_up_to_date(window: MainWindow, qtbot: QtBot) -> None:
    notice = window.chat.notice
    window.startup.worker_state.emit("library", "upgrading")
    assert notice.isVisibleTo(window.chat)
    assert notice.sentence == UPGRADING
    window.startup.worker_state.emit("chat", "ready")
    assert notice.isVisibleTo(window.chat)
    window.startup.worker_state.emit("library", "ready")
    assert not notice.isVisibleTo(window.chat)
    notice.say("Something else.")
    window.startup.worker_state.emit("library", "ready")
    assert notice.isVisibleTo(window.chat), "it takes nothing else away"
