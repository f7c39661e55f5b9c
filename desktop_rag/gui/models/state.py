"""What the window knows of models: installed, offered, found elsewhere, the machine, and what fits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.models import facts
from desktop_rag.gui.tasks import Task, Tasks


class ModelsState(QObject):
    """`changed` when the lists did, `fitted(key)` when one model's fit arrived, `failed(error)` when asking failed."""

    changed = Signal()
    machine_known = Signal()
    fitted = Signal(str)
    failed = Signal(object)

    def __init__(self, backend: Backend, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._backend, self._tasks = backend, tasks
        self.installed: list[dict[str, Any]] = []
        self.offered: list[dict[str, Any]] = []
        self.found: list[dict[str, Any]] = []
        self.unfinished: list[dict[str, Any]] = []
        self.machine: dict[str, Any] = {}
        self.active: dict[str, Any] = {}
        self.loaded = False
        self._fits: dict[str, Event] = {}
        self._fitting: Task | None = None
        self._again = False

    # -- reading -------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Ask for the lists again; fits are asked for as they are looked at."""
        self._tasks.call(lambda: self._backend.models.call("list"), self._take, self.failed.emit)

    def look_around(self) -> None:
        """Ask what the machine is and what other applications hold; what fails here is only not shown."""
        self._tasks.call(lambda: self._backend.models.call("machine"), self._take_machine)
        self._tasks.call(lambda: self._backend.models.call("discover"), self._take_found)

    def row(self, identifier: str) -> dict[str, Any] | None:
        """An installed model by id, path, or name of its file."""
        for row in self.installed:
            path = str(row.get("path") or "")
            if identifier and identifier in (row.get("id"), path, row.get("name"), Path(path).name):
                return row
        return None

    @property
    def chat_models(self) -> list[dict[str, Any]]:
        """The installed models that write answers."""
        return [row for row in self.installed if row.get("kind", "chat") == "chat"]

    def fit(self, key: str) -> Event | None:
        """What was worked out for a model; None while nobody knows yet."""
        return self._fits.get(key)

    def is_active(self, row: dict[str, Any]) -> bool:
        """Whether this model answers now."""
        return bool(self.active) and self.active.get("model") in (row.get("id"), row.get("name"))

    def set_active(self, event: Event) -> None:
        """A model was loaded: the chat worker's own words about it."""
        self.active = dict(event)
        self.changed.emit()

    def _take(self, answer: Event) -> None:
        self.installed = list(answer.get("models") or [])
        self.offered = [row for row in answer.get("catalogue") or [] if not row.get("installed")]
        self.unfinished = list(answer.get("unfinished") or [])
        self.loaded = True
        for row in self.offered:
            if isinstance(row.get("fit"), dict):
                self._fits[facts.key(row)] = row["fit"]
        self.changed.emit()
        self._fit_missing()

    def _take_machine(self, answer: Event) -> None:
        measured_now = bool(answer.get("read_gbs")) and not self.machine.get("read_gbs")
        self.machine = answer
        self.machine_known.emit()
        # Without the machine's bandwidth there was no speed to tell.
        if measured_now and any(not fit.get("tok_s") for fit in self._fits.values()):
            self.forget_fits()

    def _take_found(self, answer: Event) -> None:
        self.found = list(answer.get("found") or [])
        self.changed.emit()
        self._fit_missing()

    # -- fits ----------------------------------------------------------------------------------

    def forget_fits(self) -> None:
        """Memory or settings are others now: work everything out again."""
        self._fits.clear()
        self._fit_missing()

    def _fit_missing(self) -> None:
        """One request after the other, so that a click in between is not kept waiting for long."""
        if self._fitting is not None:
            self._again = True
            return
        rows = [*self.chat_models, *self.offered, *self.found]
        rows = [row for row in rows if row.get("kind", "chat") == "chat"]
        wanted = [row for row in rows if not row.get("missing") and facts.key(row) not in self._fits]
        if wanted:
            self._fitting = self._tasks.run(
                lambda: self._ask_fits(wanted), event=self._take_fit, finished=self._fits_done
            )

    def _ask_fits(self, rows: list[dict[str, Any]]) -> Iterator[Event]:
        for row in rows:
            try:
                answer = self._backend.models.call("fit", **fit_args(row))
            except DesktopRagError as error:
                answer = {"error": error.message}
            yield {**answer, "key": facts.key(row)}

    def _take_fit(self, event: Event) -> None:
        self._fits[event["key"]] = event
        self.fitted.emit(event["key"])

    def _fits_done(self) -> None:
        self._fitting = None
        if self._again:
            self._again = False
            self._fit_missing()


def fit_args(row: dict[str, Any]) -> dict[str, Any]:
    """How a `fit` or `inspect` request names a model: by its id, else by where it lies."""
    return {"model": row["id"]} if row.get("id") else {"path": row["path"]}
