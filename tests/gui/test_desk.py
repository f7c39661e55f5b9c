"""Another start of the application: the window that is open takes its files, or comes to the front."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop_rag import paths
from desktop_rag.errors import StoreError
from desktop_rag.gui import place
from desktop_rag.gui.desk import Desk
from desktop_rag.gui.theme import Theme
from desktop_rag.settings import Settings
from desktop_rag.store.key import make_key
from desktop_rag.workers import program
from tests.gui.scripted import ScriptedBackend

Start = Callable[[], Desk]


@pytest.fixture
def start(qapp: QApplication, theme: Theme, tmp_path: Path) -> Iterator[Start]:
    """Makes desks on one data directory. Every window made is deleted afterwards: an abandoned one stays for others."""
    data_dir = paths.private_dir(tmp_path / "desk")
    make_key(data_dir, "file")
    desks: list[Desk] = []

    def make() -> Desk:
        desks.append(Desk(qapp, Settings(data_dir), data_dir, ScriptedBackend))
        return desks[-1]

    yield make
    for desk in desks:
        desk.window.close()
        desk.window.deleteLater()
    theme._apply()


@pytest.fixture
def desk(start: Start, qtbot: QtBot) -> Desk:
    """The application's one window on a scripted backend, opened."""
    desk = start()
    desk.open()
    qtbot.waitUntil(lambda: desk.window.library.loaded and desk.window.tasks.count == 0)
    return desk


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


def test_a_locked_window_keeps_the_files_until_it_is_open(
    desk: Desk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk._lock()
    window, taken = desk.window, []
    monkeypatch.setattr(window, "add_paths", taken.append)
    desk.bring(["/report.pdf"])
    desk.bring(["/b.pdf"])
    assert taken == []
    page = window.locking.page
    assert "2 files wait" in page._waiting.text()
    assert page._waiting.isVisibleTo(page)
    window.startup.begin()
    qtbot.waitUntil(lambda: bool(taken))
    assert taken == [["/report.pdf", "/b.pdf"]]
    assert not page._waiting.isVisibleTo(page)
    desk.bring([])
    assert len(taken) == 1, "once is enough"


def test_files_of_the_start_itself_wait_for_the_library(
    start: Start, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = start()
    taken: list[Any] = []
    monkeypatch.setattr(desk.window, "add_paths", taken.append)
    desk.take(["/report.pdf"])
    assert taken == []
    desk.open()
    qtbot.waitUntil(lambda: bool(taken))
    assert taken == [["/report.pdf"]]
    desk.close()


@pytest.mark.parametrize("change", ["removed", "replaced"])
def test_an_application_that_is_gone_says_so_in_its_window(
    desk: Desk, change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    executable = tmp_path / "desktop-rag"
    executable.write_text("one")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(executable))
    monkeypatch.setattr(program, "_STARTED", program._identity())
    desk._see_whether_installed()
    assert not desk.window.failed
    executable.unlink()
    if change == "replaced":
        (tmp_path / "other").write_text("two")
        (tmp_path / "other").rename(executable)
    desk._see_whether_installed()
    assert desk.window.failed
    assert change in desk.window.failure.sentence
    assert not desk.window.failure._again.isVisibleTo(desk.window.failure), "trying again changes nothing"


def test_the_window_stands_where_it_was_left(desk: Desk, start: Start) -> None:
    desk.window.setGeometry(0, 30, 1024, 700)
    desk.close()
    assert start().open().size().toTuple() == (1024, 700)


@pytest.mark.parametrize("content", [None, b"", b"no geometry"])
def test_at_first_the_window_is_no_larger_than_the_screen(
    content: bytes | None, desk: Desk, start: Start, tmp_path: Path
) -> None:
    desk.close()
    kept = tmp_path / "desk/window.place"
    assert kept.stat().st_mode & 0o777 == 0o600
    kept.unlink() if content is None else kept.write_bytes(content)
    window = start().open()
    room = window.screen().availableSize()
    least = window.minimumSize()
    assert window.width() in (least.width(), 1280) or window.width() < room.width()
    assert window.height() in (least.height(), 800) or window.height() < room.height(), "its frame must fit too"


def test_where_nothing_can_be_written_it_just_closes(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_given: object) -> None:
        raise StoreError("read_only", "The folder cannot be written.", "Allow it.")

    monkeypatch.setattr(place, "write_private", refused)
    desk.close()
    assert not desk.window.isVisible()
