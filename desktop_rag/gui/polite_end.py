"""Ctrl+C and a polite end from outside (SIGTERM, at a shutdown) close the window like its own button."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from PySide6.QtCore import QObject, QSocketNotifier

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class PoliteEnd(QObject):
    """Calls `close` for these signals, at once, whatever the window does or shows."""

    def __init__(self, close: Callable[[], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._close = close
        self._pipe: tuple[int, ...] = ()
        if os.name == "nt":
            # A console's Ctrl+C wakes Python there, and nothing else sends signals.
            signal.signal(signal.SIGINT, lambda *_: close())
            return
        # Python carries a signal out when it next runs, and Qt may wait without ever running it: a byte wakes it. The
        # byte also waits for the loop, when the signal comes before: to end a loop that has not begun does nothing.
        for number in _SIGNALS:
            signal.signal(number, lambda *_: None)
        self._pipe = os.pipe()
        for end in self._pipe:
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._pipe[1], warn_on_full_buffer=False)
        self._notifier = QSocketNotifier(self._pipe[0], QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_signal)

    def _on_signal(self) -> None:
        if set(os.read(self._pipe[0], 64)) & set(_SIGNALS):
            self._close()

    def stop(self) -> None:
        """Give the signals back."""
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        if self._pipe:
            signal.set_wakeup_fd(-1)
            self._notifier.setEnabled(False)
            for end in self._pipe:
                os.close(end)
