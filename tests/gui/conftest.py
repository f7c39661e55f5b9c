"""A window on a scripted backend, shown offscreen and closed after the test with nothing left running."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from desktop_rag import paths
from desktop_rag.gui.app import WorkersBackend
from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.review.sheet import ReviewSheet
from desktop_rag.gui.theme import Theme
from desktop_rag.settings import Settings
from desktop_rag.store.key import make_key
from tests.gui.real import PATIENCE_MS
from tests.gui.script import document
from tests.gui.scripted import ScriptedBackend


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The offscreen platform says this of every window with a least size and of every popover; no other does."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.qt_log_ignore("propagateSizeHints", r"not support (raise|grabbing)"))


@pytest.fixture(scope="session")
def theme(qapp: QApplication) -> Theme:
    """One theme for all tests: style sheets are per application."""
    return Theme(qapp, "light")


@pytest.fixture
def backend() -> ScriptedBackend:
    """What stands behind the window."""
    return ScriptedBackend()


@pytest.fixture
def window(qtbot: QtBot, theme: Theme, backend: ScriptedBackend, tmp_path: Path) -> Iterator[MainWindow]:
    """An open window whose library has answered."""
    opened = MainWindow(backend, theme, Settings(tmp_path), tmp_path)
    qtbot.addWidget(opened)
    opened.show()
    opened.startup.begin()
    qtbot.waitUntil(lambda: opened.library.loaded and bool(opened.models.findChildren(QLabel)))
    qtbot.waitUntil(lambda: opened.tasks.count == 0)
    opened.library.choose(opened.library.collections[0])
    yield opened
    opened.close()
    assert opened.tasks.count == 0
    assert backend.closed


@pytest.fixture
def models(window: MainWindow, qtbot: QtBot) -> MainWindow:
    """The window with its Models page open and everything worked out."""
    window.show_page("models")
    qtbot.waitUntil(lambda: window.tasks.count == 0)
    return window


@pytest.fixture
def open_real(
    qtbot: QtBot, theme: Theme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., MainWindow]]:
    """Opens a window on real workers; each on the same library, which is empty at first. Takes settings by name."""
    monkeypatch.setenv("DESKTOP_RAG_CONFIG_DIR", str(tmp_path / "config"))
    data_dir = paths.private_dir(tmp_path / "data")
    # Else the window would ask how the library shall be protected.
    make_key(data_dir, "file")
    windows: list[MainWindow] = []

    def open_one(**chosen: object) -> MainWindow:
        settings = Settings(data_dir)
        for name, value in chosen.items():
            settings.set(name, value)
        window = MainWindow(WorkersBackend(data_dir, settings), theme, settings, data_dir)
        windows.append(window)
        qtbot.addWidget(window)
        window.show()
        window.startup.begin()
        qtbot.waitUntil(lambda: window.library.loaded, timeout=PATIENCE_MS)
        return window

    yield open_one
    for window in windows:
        if window.isVisible():
            window.close()


Open = Callable[..., ReviewSheet]


@pytest.fixture
def open_review(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> Open:
    """Opens the sheet on documents that wait."""

    def opened(*names: str, first: str | None = None) -> ReviewSheet:
        backend.rows.clear()
        for name in names:
            backend.rows[name] = document(name, "reviewing")
        window.library.refresh()
        qtbot.waitUntil(lambda: len(window.library.reviewing()) == len(names) and window.tasks.count == 0)
        window.activateWindow()
        window.wires.library.review(first)
        qtbot.waitUntil(lambda: window.tasks.count == 0)
        return window.review

    return opened
