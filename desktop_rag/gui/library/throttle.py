"""Doing something at once, but not more often than the screen needs it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer


class Throttle:
    """Calls `action` at the first asking; what is asked within `milliseconds` after it is one later call."""

    def __init__(self, parent: QObject, action: Callable[[], object], milliseconds: int) -> None:
        self._action = action
        self._asked = False
        self._timer = QTimer(parent)
        self._timer.setSingleShot(True)
        self._timer.setInterval(milliseconds)
        self._timer.timeout.connect(self._later)

    def ask(self) -> None:
        """Do it now, or as soon as the time is up."""
        if self._timer.isActive():
            self._asked = True
        else:
            self._action()
            self._timer.start()

    def now(self) -> None:
        """Do it now, whatever was done before."""
        self._asked = False
        self._timer.stop()
        self._action()

    def _later(self) -> None:
        if self._asked:
            self._asked = False
            self.ask()
