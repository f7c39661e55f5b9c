"""Locked and unlocked: the pages that ask for the key, the settings about it, and what locking takes away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QShortcut
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from desktop_rag.errors import StoreError, UsageError
from desktop_rag.gui.backend import Event
from desktop_rag.gui.key.passphrase_form import PassphraseForm
from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.pieces.confirm import Confirm
from desktop_rag.gui.theme import Theme
from desktop_rag.settings import Settings
from tests.gui.real import PATIENCE_MS
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


def test_a_library_that_is_not_open_is_not_locked(shut: Opened, qtbot: QtBot) -> None:
    window, _keeper = shut("passphrase")
    with qtbot.assertNotEmitted(window.locking.lock_wanted):
        window.locking.lock()
