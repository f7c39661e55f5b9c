"""Notices that nobody is there: no key, no mouse, for some minutes."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer, Signal

_SIGNS = frozenset(
    {
        QEvent.Type.KeyPress,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseMove,
        QEvent.Type.Wheel,
        QEvent.Type.TouchBegin,
        QEvent.Type.DragMove,
    }
)
_MINUTE_MS = 60_000


class IdleWatch(QObject):
    """`idle()` after the time that was asked for; while `busy` says so it waits on, a minute at a time."""

    idle = Signal()

    def __init__(self, busy: Callable[[], bool], parent: QObject) -> None:
        super().__init__(parent)
        self._busy = busy
        self._minutes = 0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._over)

    def watch(self, minutes: int) -> None:
        """Begin to watch, with another time, or (0) no longer."""
        application = QCoreApplication.instance()
        assert application is not None
        # Every event of the application passes by a filter: there is one only while it is needed.
        if minutes and not self._minutes:
            application.installEventFilter(self)
        elif self._minutes and not minutes:
            application.removeEventFilter(self)
        self._minutes = minutes
        self._timer.stop()
        if minutes:
            self._timer.start(minutes * _MINUTE_MS)

    @property
    def wait_ms(self) -> int:
        """How long it waits since the last sign, -1 while nothing is watched."""
        return self._timer.interval() if self._timer.isActive() else -1

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Somebody is there; the event goes on."""
        if event.type() in _SIGNS and self._minutes:
            self._timer.start(self._minutes * _MINUTE_MS)
        return False

    def _over(self) -> None:
        if self._busy():
            self._timer.start(_MINUTE_MS)
        else:
            self.idle.emit()
