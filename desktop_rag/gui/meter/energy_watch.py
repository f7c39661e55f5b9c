"""The energy of one answer, from the machine's own counters; read in tasks, because a driver may take its time."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from desktop_rag.gui.backend import Event
from desktop_rag.gui.tasks import Tasks
from desktop_rag.meter.energy import EnergyMeter


class EnergyWatch(QObject):
    """`measured(joules)` after an answer; nothing where the machine does not tell."""

    measured = Signal(float)

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._meter: EnergyMeter | None = None

    def begin(self) -> None:
        """An answer begins."""
        self._meter = None
        self._tasks.call(lambda: {"meter": EnergyMeter()}, self._keep)

    def end(self) -> None:
        """It has ended."""
        meter, self._meter = self._meter, None
        if meter is not None:
            self._tasks.call(lambda: {"joules": meter.joules()}, self._tell)

    def _keep(self, event: Event) -> None:
        self._meter = event["meter"]

    def _tell(self, event: Event) -> None:
        if event["joules"] is not None:
            self.measured.emit(event["joules"])
