"""The measurements of the Benchmark screen: the run that goes on, earlier ones, and what engines can do."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.tasks import Task, Tasks


class BenchState(QObject):
    """`changed` at every step; `failed(error)` when a run could not begin or broke off."""

    changed = Signal()
    failed = Signal(object)

    def __init__(self, backend: Backend, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._backend, self._tasks = backend, tasks
        self._task: Task | None = None
        self.kind = ""
        self.text = ""
        self.share: float | None = None
        self.stopping = False
        self.report: dict[str, Any] = {}
        self.earlier: list[dict[str, Any]] = []
        self.engines: list[dict[str, Any]] = []

    @property
    def running(self) -> bool:
        """Whether something is being measured."""
        return self._task is not None

    def read_records(self) -> None:
        """Read the reports of earlier runs."""
        self._tasks.call(self._records, self._take_records)

    def _records(self) -> Event:
        return {"bench": self._backend.benchmarks("bench"), "probe": self._backend.benchmarks("probe")}

    def _take_records(self, answer: Event) -> None:
        self.earlier = list(answer.get("bench") or [])
        probes = list(answer.get("probe") or [])
        if not self.engines and probes:
            self.engines = list((probes[0].get("result") or {}).get("engines") or [])
        if not self.report and not self.running and self.earlier:
            self.report = dict(self.earlier[0].get("result") or {})
        self.changed.emit()

    def show(self, record: dict[str, Any]) -> None:
        """Show the report of an earlier run."""
        if not self.running:
            self.report = dict(record.get("result") or {})
            self.changed.emit()

    def run(self, engines: list[str]) -> None:
        """Measure these engines."""
        if not self.running:
            self.report = {"rows": [], "skipped": []}
            self._begin("bench", lambda: self._backend.benchmark(engines))

    def probe(self, engines: list[str]) -> None:
        """Find out what these engines can do."""
        if not self.running:
            self.engines = []
            self._begin("probe", lambda: self._backend.probe(engines))

    def stop(self) -> None:
        """Stop at the next step; what was measured stays on the screen."""
        if self._task is not None:
            self.stopping = True
            self._task.cancel()
            self.changed.emit()

    def _begin(self, kind: str, source: Any) -> None:
        self.kind, self.text, self.share, self.stopping = kind, "", None, False
        self._task = self._tasks.run(source, event=self._take, failed=self._fail, finished=self._over)
        self.changed.emit()

    def _take(self, event: Event) -> None:
        kind = event.get("event")
        if kind == "progress":
            self.text = str(event.get("text") or "")
            fraction = event.get("fraction")
            # What a conversion says of itself is not the progress of the whole.
            if "platform" not in event and fraction is not None:
                self.share = float(fraction)
        elif kind == "run":
            self.text = f"{event.get('platform')} {event.get('options')} · question {event['number']} of {event['of']}"
        elif kind == "machine":
            self.report["machine"] = event.get("machine")
        elif kind == "row":
            self.report["rows"].append(event.get("row") or event)
        elif kind == "skipped":
            self.report["skipped"].append(event["skipped"])
        elif kind == "probe":
            self._take_probe(event)
        elif kind == "done":
            self._take_result(event)
        self.changed.emit()

    def _take_probe(self, event: Event) -> None:
        name = str(event.get("engine") or "")
        engine = next((row for row in self.engines if row["engine"] == name), None)
        if engine is None:
            engine = {"engine": name, "probes": [], "error": None}
            self.engines.append(engine)
        engine["probes"].append(event["probe"])

    def _take_result(self, event: Event) -> None:
        result = {key: value for key, value in event.items() if key not in ("event", "id")}
        if self.kind == "probe":
            self.engines = list(result.get("engines") or self.engines)
        else:
            self.report = result

    def _fail(self, error: DesktopRagError) -> None:
        self.failed.emit(error)

    def _over(self) -> None:
        self._task, self.text, self.stopping = None, "", False
        self.changed.emit()
        self.read_records()
