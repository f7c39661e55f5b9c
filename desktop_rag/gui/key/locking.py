"""Shut or open: shows the page that asks, passes on what was typed, and tells when the library is to be locked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop_rag.errors import DesktopRagError, StoreError
from desktop_rag.gui.backend import Event
from desktop_rag.gui.key.first_page import FirstKeyPage
from desktop_rag.gui.key.idle import IdleWatch
from desktop_rag.gui.key.unlock_page import UnlockPage
from desktop_rag.gui.pieces.confirm import Confirm

if TYPE_CHECKING:
    from desktop_rag.gui.main_window import MainWindow

_SET_ASIDE = (
    "Without its key nobody can read the locked library: not you, not we. If you have a backup whose passphrase you"
    " know, restore that instead (desktop-rag key restore). The locked library is not deleted: it is moved into a"
    " folder beside, and opens there should the key turn up."
)


class Locking(QObject):
    """`lock_wanted()` by the user, or because nobody was there: whoever has the window replaces it by a fresh one."""

    lock_wanted = Signal()

    def __init__(self, window: MainWindow, data_dir: Path) -> None:
        super().__init__(window)
        self._window, self._data_dir = window, data_dir
        self._open = False
        self.page = UnlockPage(window.theme)
        self.first = FirstKeyPage(window.theme)
        self.idle = IdleWatch(self._busy, self)
        self.page.unlock_wanted.connect(self._unlock)
        self.page.lost.connect(self._ask_to_set_aside)
        self.first.chosen.connect(self._make)
        self.idle.idle.connect(self.lock)

    @property
    def is_open(self) -> bool:
        """Whether the library answers."""
        return self._open

    def lock(self) -> None:
        """Ask to be locked; a library that is not open cannot be."""
        if self._open:
            self.lock_wanted.emit()

    def opened(self) -> None:
        """The library has answered."""
        self._open = True
        self._window.show_instead(None)
        self.watch(int(self._window.settings["auto_lock"]))

    def watch(self, minutes: int) -> None:
        """Lock after so many minutes without a key or the mouse; 0 never does."""
        self.idle.watch(minutes if self._open else 0)

    def show_locked(self) -> None:
        """Ask for the key before anything else starts: nothing holds it yet."""
        from desktop_rag.store import key_record

        try:
            keeper = str(key_record.read(self._data_dir / key_record.NAME).place.protection)
        except StoreError:
            keeper = "file"
        self._ask(keeper)

    def refused(self, error: DesktopRagError) -> bool:
        """Ask for what keeps the library shut; False where it is nothing that could be asked for."""
        needed = error.details.get("unlock")
        if needed is None:
            return False
        self._open = False
        self.watch(0)
        if needed == "choose":
            self._window.show_instead(self.first)
            self.first.show_asking()
        else:
            # At the start a passphrase is simply due; the others should have been at hand.
            expected = needed == "passphrase" and not error.details.get("wrong")
            self._ask(str(needed), None if expected else error)
        return True

    def try_again(self) -> None:
        """Look for the key once more, then go on."""
        self._call(lambda: self._window.backend.library.call("unlock"))

    def crashed(self) -> None:
        """The library's process has ended by itself: the new one may need to be unlocked again."""
        if self._open:
            window = self._window
            window.tasks.call(lambda: window.backend.library.call("unlock"), failed=self._shut)

    # -- steps ---------------------------------------------------------------------------------------

    def _ask(self, keeper: str, error: DesktopRagError | None = None) -> None:
        self._window.show_instead(self.page)
        self.page.show_for(keeper, error)

    def _unlock(self, passphrase: str) -> None:
        self.page.show_working()
        self._call(lambda: self._window.backend.library.call("unlock", passphrase=passphrase or None))

    def _make(self, keeper: str, passphrase: str) -> None:
        def make() -> Event:
            return self._window.backend.library.call("unlock", keeper=keeper, passphrase=passphrase or None)

        self._window.tasks.call(make, self._go_on, self.first.show_asking)

    def _call(self, call: Callable[[], Event]) -> None:
        self._window.tasks.call(call, self._go_on, self._shut)

    def _go_on(self, _event: Event) -> None:
        self._window.startup.begin()

    def _shut(self, error: DesktopRagError) -> None:
        if not self.refused(error):
            self._window.failure.say(error)
            self._window.show_instead(self._window.failure)

    def _ask_to_set_aside(self) -> None:
        Confirm(
            self._window.theme,
            self._window,
            "Start a new library?",
            _SET_ASIDE,
            "Move it beside and start anew",
            lambda _text: self._set_aside(),
        ).open()

    def _set_aside(self) -> None:
        def begin_anew() -> Event:
            library = self._window.backend.library
            library.call("key_set_aside")
            return library.call("unlock")

        self.page.show_working()
        self._call(begin_anew)

    def _busy(self) -> bool:
        """Whether something goes on that locking would break off."""
        window = self._window
        return bool(
            window.session.is_running or window.intake.running or window.jobs.running or window.bench_state.running
        )
