"""The one window of the application. Locking puts a fresh one, and fresh processes, in its place.

So nothing has to be found and emptied: whatever held a text or the key, widgets, models, workers, is gone as a whole.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from desktop_rag.gui import place
from desktop_rag.gui.backend import Backend
from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.theme import Theme
from desktop_rag.settings import Settings


class Desk(QObject):
    """Opens the window on a data directory; `make_backend` gives the workers of each new one."""

    def __init__(
        self, application: QApplication, settings: Settings, data_dir: Path, make_backend: Callable[[], Backend]
    ) -> None:
        super().__init__()
        self._application, self._settings, self._data_dir = application, settings, data_dir
        self._make_backend = make_backend
        self.window = self._fresh()

    def open(self) -> MainWindow:
        """Show the window at once; the library starts after its first paint."""
        window = self.window
        place.restore(window, self._data_dir)
        window.show()
        QTimer.singleShot(0, window.startup, window.startup.begin)
        return window

    def close(self) -> None:
        """Close the window, and note where it stood."""
        place.keep(self.window, self._data_dir)
        self.window.close()

    def bring(self, files: list[str]) -> None:
        """Come to the front for another start of the application, and take its files."""
        window = self.window
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
        window.show()
        window.raise_()
        window.activateWindow()
        # What is locked, or not open yet, takes nothing: the files stay where they are.
        if files and window.acceptDrops():
            window.add_paths(files)

    def _fresh(self) -> MainWindow:
        # A theme of its own: the old one knows the old widgets.
        theme = Theme(self._application, str(self._settings["theme"]))
        window = MainWindow(self._make_backend(), theme, self._settings, self._data_dir)
        window.locking.lock_wanted.connect(self._lock)
        return window

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
