"""Locking: by a key, by a click and when nobody is there, and that nothing of a document stays in the window."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from desktop_rag import paths
from desktop_rag.gui.app import WorkersBackend
from desktop_rag.gui.desk import Desk
from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.theme import Theme
from desktop_rag.settings import Settings
from desktop_rag.store.key import load_key, make_key
from tests.gui.real import ON_REAL_WORKERS, PATIENCE_MS
from tests.gui.script import PDF
from tests.gui.scripted import ScriptedBackend
from tests.gui.test_window_key import OTHER, OWN, settled, shown


@pytest.fixture
def desk(qapp: QApplication, qtbot: QtBot, theme: Theme, tmp_path: Path) -> Iterator[Desk]:
    """The application's one window on a scripted backend, opened."""
    delete_what_waits()
    assert not [left for left in QApplication.allWidgets() if isinstance(left, MainWindow)], "another test's window"
    data_dir = paths.private_dir(tmp_path / "desk")
    make_key(data_dir, "file")
    desk = Desk(qapp, Settings(data_dir), data_dir, ScriptedBackend)
    desk.open()
    qtbot.waitUntil(lambda: desk.window.library.loaded and desk.window.tasks.count == 0)
    yield desk
    desk.window.close()
    desk.window.deleteLater()
    theme._apply()


def texts(widgets: list[QWidget]) -> str:
    """Everything these widgets say."""
    found = []
    for widget in widgets:
        for name in ("text", "toPlainText", "windowTitle", "toolTip", "accessibleName"):
            say = getattr(widget, name, None)
            if callable(say):
                found.append(str(say()))
    return "\n".join(found)


def delete_what_waits() -> None:
    """What Qt deletes when it next has time, and Python after it."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QApplication.processEvents()
    gc.collect()


def lock_by_key(desk: Desk, qtbot: QtBot) -> tuple[list[weakref.ref[Any]], Any]:
    """Open a conversation and lock; what held texts, and the backend, from before."""
    window = desk.window
    window.session.open("c1")
    settled(window, qtbot)
    window.show_page("chat")
    assert "Feed pump P-204" in texts(window.findChildren(QWidget)), "there is something to hide"
    held = [weakref.ref(part) for part in (window, window.session, window.library, window.pane, window.reveal)]
    keys = QKeySequence("Ctrl+Shift+L")
    next(shortcut for shortcut in window.findChildren(QShortcut) if shortcut.key() == keys).activated.emit()
    assert desk.window is not window
    assert desk.window.size() == window.size()
    return held, window.backend


def wait_closed(backend: ScriptedBackend, qtbot: QtBot) -> None:
    """The processes that held the key and the texts are told to end."""
    qtbot.waitUntil(lambda: backend.closed)


def test_locking_leaves_nothing_of_a_document_in_the_window(desk: Desk, qtbot: QtBot) -> None:
    held, backend = lock_by_key(desk, qtbot)
    wait_closed(backend, qtbot)
    del backend  # its workers tell the window how they are
    qtbot.waitUntil(lambda: delete_what_waits() or all(one() is None for one in held))
    assert shown(desk.window) is desk.window.locking.page
    said = texts(QApplication.allWidgets())
    for secret in ("P-204", PDF, "Lindqvist", "Brackwater"):
        assert secret not in said
    new: Any = desk.window.backend
    assert new.library.calls == [], "nothing opens the library before its owner does"
    desk.window.locking.page.unlock.click()
    qtbot.waitUntil(lambda: desk.window.library.loaded and desk.window.tasks.count == 0)


def test_what_locking_is_worth_is_told(desk: Desk, qtbot: QtBot) -> None:
    desk.window.sidebar.lock.click()
    delete_what_waits()
    words = " ".join(part.text() for part in desk.window.locking.page.findChildren(QLabel))
    assert "whoever can use your account can unlock it" in words


def test_it_locks_by_itself_when_nobody_is_there(window: MainWindow, qtbot: QtBot) -> None:
    idle = window.locking.idle
    assert idle.wait_ms == -1, "not before somebody wants it"
    window.settings.set("auto_lock", 5)
    window.settings_page.changed.emit("auto_lock", 5)
    assert idle.wait_ms == 5 * 60_000
    idle._timer.start(10 * 60_000)
    qtbot.keyClick(window.chat.composer.edit, Qt.Key.Key_A)
    assert idle.wait_ms == 5 * 60_000, "a key begins the time anew"
    with qtbot.waitSignal(window.locking.lock_wanted):
        idle._timer.start(0)
    window.settings_page.changed.emit("auto_lock", 0)
    assert idle.wait_ms == -1


def test_it_does_not_break_off_what_goes_on(window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    window.locking.watch(5)
    monkeypatch.setattr(window.locking.idle, "_busy", lambda: True)
    with qtbot.assertNotEmitted(window.locking.lock_wanted):
        window.locking.idle._over()
    assert window.locking.idle.wait_ms == 60_000
    window.locking.watch(0)


class TestOnRealWorkers:
    pytestmark = ON_REAL_WORKERS

    @pytest.fixture
    def real(
        self, qapp: QApplication, qtbot: QtBot, theme: Theme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Desk]:
        """The application's window on real workers, with an empty data directory."""
        monkeypatch.setenv("DESKTOP_RAG_CONFIG_DIR", str(tmp_path / "config"))
        data_dir = paths.private_dir(tmp_path / "data")
        settings = Settings(data_dir)
        desk = Desk(qapp, settings, data_dir, lambda: WorkersBackend(data_dir, settings))
        desk.open()
        yield desk
        desk.window.close()
        desk.window.deleteLater()
        theme._apply()

    def test_from_the_first_start_over_locking_to_unlocking(self, real: Desk, qtbot: QtBot, tmp_path: Path) -> None:
        window = real.window
        qtbot.waitUntil(lambda: shown(window) is window.locking.first, timeout=PATIENCE_MS)
        for field in (window.locking.first.new.first, window.locking.first.new.again):
            field.setText(OWN)
        window.locking.first.start.click()
        qtbot.waitUntil(lambda: window.library.loaded and window.tasks.count == 0, timeout=PATIENCE_MS)
        letter = tmp_path / "letter.txt"
        letter.write_text("The rent of 950 euros is paid by Jean Rivera to the owner of the house.\n")
        window.intake.add([str(letter)], None, False)
        qtbot.waitUntil(lambda: not window.intake.running and window.tasks.count == 0, timeout=PATIENCE_MS)
        processes = [psutil.Process(worker.pid) for worker in window.backend.running]
        assert len(processes) >= 2
        window.settings_page.key.lock.click()
        window = real.window
        # The key and the texts are gone with the processes that held them.
        qtbot.waitUntil(lambda: not any(process.is_running() for process in processes), timeout=PATIENCE_MS)
        page = window.locking.page
        assert shown(window) is page
        page.field.setText(OTHER)
        page.unlock.click()
        qtbot.waitUntil(lambda: page.isEnabled() and bool(page.said), timeout=PATIENCE_MS)
        assert page.said.startswith("This is not the library's passphrase.")
        page.field.setText(OWN)
        page.unlock.click()
        qtbot.waitUntil(lambda: window.library.loaded and window.tasks.count == 0, timeout=PATIENCE_MS)
        assert [row["name"] for row in window.library.documents()] == ["letter.txt"]
        window.close()
        content = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path != letter)
        for secret in (OWN, OTHER):
            assert not any(secret.encode(code) in content for code in ("utf-8", "utf-16-le"))
        assert load_key(paths.private_dir(tmp_path / "data"), OWN.encode()).protection == "passphrase"
