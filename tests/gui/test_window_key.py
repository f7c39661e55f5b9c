"""Locked and unlocked: the pages that ask for the key, the settings about it, and what locking takes away."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from desktop_rag import paths
from desktop_rag.errors import StoreError, UsageError
from desktop_rag.gui.app import WorkersBackend
from desktop_rag.gui.backend import Event
from desktop_rag.gui.desk import Desk
from desktop_rag.gui.key.passphrase_form import PassphraseForm
from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.pieces.confirm import Confirm
from desktop_rag.gui.theme import Theme
from desktop_rag.settings import Settings
from desktop_rag.store.key import load_key, make_key
from tests.gui.real import ON_REAL_WORKERS, PATIENCE_MS
from tests.gui.script import PDF
from tests.gui.scripted import ScriptedBackend

OWN, OTHER = "correct horse battery", "staple of another field"


class Keeper:
    """The key half of a scripted library."""

    def __init__(self, backend: ScriptedBackend, needed: str = "passphrase") -> None:
        self.backend, self.needed = backend, needed
        self.passphrase = OWN
        self.open = False
        self.tries: list[dict[str, Any]] = []
        backend.refusal = self.error()
        backend.library.script |= {"unlock": self.unlock, "key_set_aside": self.set_aside}

    def error(self, *, wrong: bool = False) -> StoreError:
        details = {"unlock": self.needed} | ({"wrong": True} if wrong else {})
        return StoreError("wrong_key", "That was not it.", "Try another.", details=details)

    def unlock(self, passphrase: str | None = None, keeper: str | None = None) -> Event:
        self.tries.append({"passphrase": passphrase, "keeper": keeper})
        if keeper is None and (self.needed == "choose" or (self.needed == "passphrase" and passphrase != OWN)):
            raise self.error(wrong=passphrase is not None)
        self.backend.refusal = None
        return {"key": keeper or self.needed}

    def set_aside(self) -> Event:
        self.needed = "choose"
        return {"folder": "beside"}


Opened = Callable[[str], tuple[MainWindow, Keeper]]


@pytest.fixture
def shut(qtbot: QtBot, theme: Theme, tmp_path: Path) -> Iterator[Opened]:
    """Opens a window whose library needs "passphrase", "keyring", "file" or "choose"."""
    windows: list[MainWindow] = []

    def open_one(needed: str) -> tuple[MainWindow, Keeper]:
        backend = ScriptedBackend()
        keeper = Keeper(backend, needed)
        window = MainWindow(backend, theme, Settings(tmp_path), tmp_path)
        windows.append(window)
        qtbot.addWidget(window)
        window.show()
        window.startup.begin()
        qtbot.waitUntil(lambda: window.tasks.count == 0)
        return window, keeper

    yield open_one
    for window in windows:
        window.close()


def shown(window: MainWindow) -> QWidget:
    found = window._whole.currentWidget()
    assert found is not None
    return found


def settled(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.tasks.count == 0, timeout=PATIENCE_MS)


# -- locked ---------------------------------------------------------------------------------------


def test_at_the_start_a_passphrase_is_asked_for_without_reproach(shut: Opened) -> None:
    window, _keeper = shut("passphrase")
    page = window.locking.page
    assert shown(window) is page
    assert page.said == ""
    assert page.field.isVisible()
    assert page.field.echoMode() == QLineEdit.EchoMode.Password
    assert not page.unlock.isEnabled()
    assert not page.no_way.isVisible()


def test_a_wrong_passphrase_is_told_in_place_and_the_right_one_opens(shut: Opened, qtbot: QtBot) -> None:
    window, keeper = shut("passphrase")
    page = window.locking.page
    page.field.setText("not it")
    qtbot.keyClick(page.field, Qt.Key.Key_Return)
    assert page.field.text() == "", "what was typed does not stay"
    settled(window, qtbot)
    assert shown(window) is page
    assert page.said == "That was not it. Try another."
    assert page.isEnabled()
    assert page.no_way.isVisible()
    assert not window.library.loaded
    page.field.setText(OWN)
    page.unlock.click()
    settled(window, qtbot)
    assert shown(window) is window._working
    assert window.library.loaded
    assert [one["passphrase"] for one in keeper.tries] == ["not it", OWN]


@pytest.mark.parametrize(("needed", "says"), [("keyring", "Unlock with the system's keyring"), ("file", "Unlock")])
def test_without_a_passphrase_there_is_a_button_to_try_again(
    shut: Opened, qtbot: QtBot, needed: str, says: str
) -> None:
    window, keeper = shut(needed)
    page = window.locking.page
    assert not page.field.isVisible()
    assert page.unlock.text() == says
    assert page.said, "the key should have been at hand: that it was not is told"
    page.unlock.click()
    settled(window, qtbot)
    assert window.library.loaded
    assert keeper.tries == [{"passphrase": None, "keeper": None}]


def test_neither_keys_nor_drops_reach_what_is_locked(shut: Opened, qtbot: QtBot) -> None:
    window, _keeper = shut("passphrase")
    assert not any(shortcut.isEnabled() for shortcut in window.findChildren(QShortcut))
    assert not window.acceptDrops()
    window.locking.page.field.setText(OWN)
    window.locking.page.unlock.click()
    settled(window, qtbot)
    assert all(shortcut.isEnabled() for shortcut in window.findChildren(QShortcut))
    assert window.acceptDrops()


def test_who_lost_the_passphrase_begins_beside_it_after_being_asked(shut: Opened, qtbot: QtBot) -> None:
    window, keeper = shut("passphrase")
    window.locking.page.field.setText("not it")
    window.locking.page.unlock.click()
    settled(window, qtbot)
    window.locking.page.no_way.click()
    (question,) = window.findChildren(Confirm)
    assert keeper.backend.library.named("key_set_aside") == []
    question.button.click()
    settled(window, qtbot)
    assert len(keeper.backend.library.named("key_set_aside")) == 1
    assert shown(window) is window.locking.first


def test_a_library_process_that_died_is_unlocked_again(shut: Opened, qtbot: QtBot) -> None:
    window, keeper = shut("passphrase")
    window.startup.worker_state.emit("library", "crashed")
    settled(window, qtbot)
    assert keeper.tries == [], "it was not open"
    window.locking.page.field.setText(OWN)
    window.locking.page.unlock.click()
    settled(window, qtbot)
    window.startup.worker_state.emit("library", "crashed")
    settled(window, qtbot)
    assert shown(window) is window.locking.page
    assert keeper.tries[-1] == {"passphrase": None, "keeper": None}


# -- the first start ------------------------------------------------------------------------------


def test_the_first_start_asks_and_a_passphrase_is_typed_twice(shut: Opened, qtbot: QtBot) -> None:
    window, keeper = shut("choose")
    first = window.locking.first
    assert shown(window) is first
    assert not first.start.isEnabled()
    for one, again, good in (("short", "short", False), (OWN, "", False), (OWN, OTHER, False), (OWN, OWN, True)):
        first.new.first.setText(one)
        first.new.again.setText(again)
        assert first.start.isEnabled() is good
    words = " ".join(part.text() for part in first.findChildren(QLabel))
    assert "Nobody can recover a lost passphrase" in words
    first.start.click()
    settled(window, qtbot)
    assert keeper.tries == [{"passphrase": OWN, "keeper": "passphrase"}]
    assert window.library.loaded
    assert first.new.first.text() == first.new.again.text() == ""


def test_the_first_start_takes_file_permissions_only_by_choice(shut: Opened, qtbot: QtBot) -> None:
    window, keeper = shut("choose")
    first = window.locking.first
    assert first.by_passphrase.isChecked(), "the safer way is the one that is offered"
    first.by_file.click()
    assert not first.new.isVisible()
    first.start.click()
    settled(window, qtbot)
    assert keeper.tries == [{"passphrase": None, "keeper": "file"}]
    assert window.library.loaded


# -- the settings ---------------------------------------------------------------------------------


def form_of(window: MainWindow) -> PassphraseForm:
    return next(form for form in window.findChildren(PassphraseForm) if form.isVisible())


def test_a_passphrase_is_set_and_changed_in_the_settings(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend
) -> None:
    key = window.settings_page.key
    window.show_page("settings")
    settled(window, qtbot)
    assert not key.file.isVisible()
    assert not key.keyring.isVisible()
    changes: list[dict[str, Any]] = []

    def change(**args: Any) -> Event:
        changes.append(args)
        if args["present"] not in (None, OWN):
            raise StoreError("wrong_key", "That was not it.", "Try another.")
        return {"key": args["keeper"]}

    backend.library.script |= {
        "key_change": change,
        "key": lambda: {"key": "passphrase", "open": True, "keyring": True},
    }
    key.passphrase.click()
    form = form_of(window)
    assert not form.present.isVisible()
    form.new.first.setText(OWN)
    form.new.again.setText(OWN)
    form.go.click()
    settled(window, qtbot)
    assert changes == [{"keeper": "passphrase", "present": None, "passphrase": OWN}]
    assert not form.isVisible()
    assert key.notice.sentence == "The library opens with your passphrase only."
    assert "old key file" in key.notice.hint
    assert key.passphrase.text() == "Change the passphrase…"
    assert key.file.isVisible()
    assert key.keyring.isVisible()
    key.keyring.click()
    form = form_of(window)
    assert not form.new.isVisible()
    form.present.setText("not it")
    form.go.click()
    settled(window, qtbot)
    assert form.isVisible()
    assert form.notice.sentence == "That was not it."
    assert form.present.text() == ""
    form.present.setText(OWN)
    form.go.click()
    settled(window, qtbot)
    assert not form.isVisible()
    assert changes[-1] == {"keeper": "keyring", "present": OWN, "passphrase": None}


def test_file_permissions_are_asked_about(window: MainWindow, qtbot: QtBot, backend: ScriptedBackend) -> None:
    key = window.settings_page.key
    changes: list[str] = []
    backend.library.script |= {
        "key": lambda: {"key": "keyring", "open": True, "keyring": True},
        "key_change": lambda **args: changes.append(args["keeper"]) or {"key": args["keeper"]},
    }
    window.show_page("settings")
    settled(window, qtbot)
    key.file.click()
    assert changes == []
    window.findChildren(Confirm)[-1].button.click()
    settled(window, qtbot)
    assert changes == ["file"]


def test_a_backup_says_how_far_it_is_and_that_it_is_whole(
    window: MainWindow, qtbot: QtBot, backend: ScriptedBackend, tmp_path: Path
) -> None:
    asked: list[dict[str, Any]] = []

    def back_up(**args: Any) -> Iterator[Event]:
        asked.append(args)
        if len(asked) == 1:
            raise UsageError("bad_request", "No.", "Again.")
        yield {"event": "progress", "step": "copying", "share": 40}
        yield {"event": "done", "file": args["file"], "bytes": 5}

    backend.library.script["key_backup"] = back_up
    key = window.settings_page.key
    key.back_up(str(tmp_path / "b.zip"))
    form = form_of(window)
    for _ in range(2):
        form.new.first.setText(OTHER)
        form.new.again.setText(OTHER)
        form.go.click()
        settled(window, qtbot)
    assert asked[1] == {"file": str(tmp_path / "b.zip"), "passphrase": OTHER, "replace": True}
    assert key.notice.sentence.endswith("b.zip, and verified.")


# -- locking --------------------------------------------------------------------------------------


@pytest.fixture
def desk(qapp: QApplication, qtbot: QtBot, theme: Theme, tmp_path: Path) -> Iterator[Desk]:
    """The application's one window on a scripted backend, opened."""
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


def test_a_library_that_is_not_open_is_not_locked(shut: Opened, qtbot: QtBot) -> None:
    window, _keeper = shut("passphrase")
    with qtbot.assertNotEmitted(window.locking.lock_wanted):
        window.locking.lock()


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
