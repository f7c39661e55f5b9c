"""Another start of the application: the window that is open takes its files, or comes to the front."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop_rag import paths
from desktop_rag.gui.desk import Desk
from desktop_rag.gui.theme import Theme
from desktop_rag.settings import Settings
from desktop_rag.store.key import make_key
from tests.gui.scripted import ScriptedBackend


@pytest.fixture
def desk(qapp: QApplication, qtbot: QtBot, theme: Theme, tmp_path: Path) -> Iterator[Desk]:
    data_dir = paths.private_dir(tmp_path / "desk")
    make_key(data_dir, "file")
    desk = Desk(qapp, Settings(data_dir), data_dir, ScriptedBackend)
    desk.open()
    qtbot.waitUntil(lambda: desk.window.library.loaded and desk.window.tasks.count == 0)
    yield desk
    desk.window.close()
    desk.window.deleteLater()
    theme._apply()


def test_the_window_takes_the_files_of_another_start(
    desk: Desk, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    added: list[Any] = []
    monkeypatch.setattr(desk.window.intake, "add", lambda *given: added.append(given))
    file = tmp_path / "report.pdf"
    file.write_bytes(b"%PDF")
    desk.bring([str(file)])
    qtbot.waitUntil(lambda: bool(added))
    assert added[0][0] == [str(file)]


def test_a_window_that_was_put_away_comes_back(desk: Desk, qtbot: QtBot) -> None:
    desk.window.showMinimized()
    desk.bring([])
    assert not desk.window.isMinimized()
    assert desk.window.isVisible()


def test_a_locked_window_takes_nothing(desk: Desk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.window.locking.show_locked()
    taken: list[Any] = []
    monkeypatch.setattr(desk.window, "add_paths", taken.append)
    desk.bring(["/report.pdf"])
    assert taken == []
