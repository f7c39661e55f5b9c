"""The one window of the application. Locking puts a fresh one, and fresh processes, in its place.

So nothing has to be found and emptied: whatever held a text or the key, widgets, models, workers, is gone as a whole.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from desktop_rag.errors import EngineError
from desktop_rag.gui import place
from desktop_rag.gui.backend import Backend
from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.theme import Theme
from desktop_rag.settings import Settings
from desktop_rag.workers.program import check_unchanged, is_installed

_LOOK_MS = 3000


class Desk(QObject):
    """Opens the window on a data directory; `make_backend` gives the workers of each new one."""

    def __init__(
        self, application: QApplication, settings: Settings, data_dir: Path, make_backend: Callable[[], Backend]
    ) -> None:
        super().__init__()
        self._application, self._settings, self._data_dir = application, settings, data_dir
        self._make_backend = make_backend
        self._waiting: list[str] = []
        self.window = self._fresh()
        self._look = QTimer(self, interval=_LOOK_MS)
        self._look.timeout.connect(self._see_whether_installed)

    def open(self) -> MainWindow:
        """Show the window at once; the library starts after its first paint."""
        window = self.window
        place.restore(window, self._data_dir)
        window.show()
        QTimer.singleShot(0, window.startup, window.startup.begin)
        if is_installed():
            self._look.start()
        return window

    def close(self) -> None:
        """Close the window, and note where it stood."""
        place.keep(self.window, self._data_dir)
        self.window.close()

    def bring(self, files: list[str]) -> None:
        """Come to the front for another start of the application, and take its files."""
        self.take(files)
        window = self.window
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
        window.show()
        window.raise_()
        window.activateWindow()

    def take(self, files: Sequence[str]) -> None:
        """Add files to the library, as soon as it is open."""
        self._waiting += files
        self._give()

    def _give(self) -> None:
        if self.window.locking.is_open:
            files, self._waiting = self._waiting, []
            if files:
                self.window.add_paths(files)
        self.window.locking.page.say_waiting(len(self._waiting))

    def _fresh(self) -> MainWindow:
        # A theme of its own: the old one knows the old widgets.
        theme = Theme(self._application, str(self._settings["theme"]))
        window = MainWindow(self._make_backend(), theme, self._settings, self._data_dir)
        window.locking.lock_wanted.connect(self._lock)
        window.startup.opened.connect(self._give)
        return window

    def _see_whether_installed(self) -> None:
        """What was removed or replaced fails at the next thing it loads: the window says so before."""
        try:
            check_unchanged()
        except EngineError as error:
            self._look.stop()
            self.window.failure.say_final(error)
            self.window.show_instead(self.window.failure)

    def _lock(self) -> None:
        old, self.window = self.window, self._fresh()
        self.window.setGeometry(old.normalGeometry())
        self.window.setWindowState(old.windowState())
        self.window.show()
        self.window.locking.show_locked()
        old.hide()
        # To end the processes takes a moment; the new window is painted before.
        QTimer.singleShot(0, old, partial(_end, old))


def _end(window: MainWindow) -> None:
    window.close()
    for part in (window, window.theme):
        part.deleteLater()
    # What Qt lets go of may still hang together in cycles.
    QTimer.singleShot(0, gc.collect)
