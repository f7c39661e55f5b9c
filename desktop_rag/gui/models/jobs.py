"""Long work on models: downloads, imports, conversions. One job per card at a time, each with its own end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui.backend import Backend, Event, Worker
from desktop_rag.gui.models import facts
from desktop_rag.gui.network import DOWNLOAD, Networking
from desktop_rag.gui.tasks import Source, Task, Tasks

RUNNING, STOPPED, FAILED = "running", "stopped", "failed"
DOWNLOADING = "Downloading"
_PATIENCE_MS = 1500


@dataclass(slots=True, eq=False)
class Job:
    """What a card shows of its work; `again` starts it once more (a download goes on where it stopped).

    `left` is what a download that does not run has left on the disk, as the list tells it. One of an
    earlier session has no `again`: it needs the question that opens the network.
    """

    key: str
    title: str
    again: Callable[[], None] | None
    state: str = RUNNING
    text: str = ""
    share: float | None = None
    error: DesktopRagError | None = None
    left: dict[str, Any] | None = None
    task: Task | None = field(default=None, repr=False)
    worker: Worker | None = field(default=None, repr=False)


class Jobs(QObject):
    """`changed(key)` at every step; `finished(key, event)` when one has ended well, `broken(key)` when not."""

    changed = Signal(str)
    finished = Signal(str, object)
    broken = Signal(str)

    def __init__(self, backend: Backend, tasks: Tasks, network: Networking, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._backend, self._tasks, self._network = backend, tasks, network
        self._jobs: dict[str, Job] = {}

    def of(self, key: str) -> Job | None:
        """The job of a card, running or ended badly."""
        return self._jobs.get(key)

    @property
    def running(self) -> list[Job]:
        """Those under way."""
        return [job for job in self._jobs.values() if job.state == RUNNING]

    # -- kinds of work -------------------------------------------------------------------------

    def work(self, key: str, title: str, op: str, then: Callable[[Event], None] | None = None, **args: Any) -> None:
        """Run an operation of the models worker, with its progress."""
        self._start(
            key,
            title,
            lambda: self._backend.models.stream(op, **args),
            lambda: self.work(key, title, op, then, **args),
            then,
            worker=self._backend.models,
        )

    def download(self, key: str, args: dict[str, Any]) -> None:
        """Download and register a model; the network is open until this ends, in a process for it alone."""
        worker = self._network.begin(DOWNLOAD)
        job = self._start(
            key,
            DOWNLOADING,
            lambda: worker.stream("download", **args),
            lambda: self.download(key, args),
            lambda event: self._place(key, args, event),
            worker=worker,
        )
        if job is None:
            self._network.end(DOWNLOAD, worker)
        elif job.task is not None:
            job.task.finished.connect(lambda: self._network.end(DOWNLOAD, worker))

    def remember(self, rows: list[dict[str, Any]]) -> None:
        """Take in what downloads have left on the disk: each is a stopped one of its card."""
        left = {facts.unfinished_key(row): row for row in rows if not row.get("running")}
        for key, job in list(self._jobs.items()):
            if job.state == RUNNING or job.left == left.get(key):
                continue
            job.left = left.get(key)
            job.share = facts.share(job.left) if job.left else None
            self.changed.emit(key)
        for key in [key for key, job in self._jobs.items() if _is_over(job) and key not in left]:
            self.dismiss(key)
        for key in left.keys() - self._jobs.keys():
            self._jobs[key] = Job(key, DOWNLOADING, None, STOPPED, share=facts.share(left[key]), left=left[key])
            self.changed.emit(key)

    def _place(self, key: str, args: dict[str, Any], event: Event) -> None:
        told = {**event, **args}
        known = {name: told[name] for name in ("id", "repo", "file", "sha256") if told.get(name)}
        if "id" not in args:
            known.pop("id", None)  # the number of the request
        self.work(key, "Checking", "place", None, path=event.get("path"), **known)

    # -- one job -------------------------------------------------------------------------------

    def _start(
        self,
        key: str,
        title: str,
        source: Source,
        again: Callable[[], None],
        then: Callable[[Event], None] | None = None,
        *,
        worker: Worker,
    ) -> Job | None:
        present = self._jobs.get(key)
        if present is not None and present.state == RUNNING:
            return None
        job = Job(key, title, again, worker=worker)
        self._jobs[key] = job
        job.task = self._tasks.run(
            source,
            event=lambda event: self._step(job, event),
            done=lambda event: self._done(job, event, then),
            failed=lambda error: self._end(job, FAILED, error),
        )
        job.task.cancelled.connect(lambda: self._end(job, STOPPED, None))
        self.changed.emit(key)
        return job

    def cancel(self, key: str) -> None:
        """Stop; what was loaded so far is kept for another time. A worker that does not obey soon is ended."""
        job = self._jobs.get(key)
        if job is None or job.state != RUNNING or job.task is None or job.worker is None:
            return
        job.text = "Stopping…"
        job.task.cancel()
        # Events may be far apart when a server stalls: the process itself is told as well, unless it has other work.
        if not any(other.worker is job.worker for other in self.running if other is not job):
            job.worker.cancel()
        QTimer.singleShot(_PATIENCE_MS, self, lambda: self._insist(job))
        self.changed.emit(key)

    def _insist(self, job: Job) -> None:
        if job.state == RUNNING and job.worker is not None:
            self._tasks.call(partial(_kill, job.worker))

    def dismiss(self, key: str) -> None:
        """Forget a job that has ended badly."""
        job = self._jobs.get(key)
        if job is not None and job.state != RUNNING:
            del self._jobs[key]
            self.changed.emit(key)

    def _step(self, job: Job, event: Event) -> None:
        if event.get("event") != "progress" or job.state != RUNNING:
            return
        if "received" in event:
            job.text = facts.received(event)
            job.share = facts.share(event)
        else:
            fraction = event.get("fraction")
            job.text = str(event.get("text") or "")
            job.share = float(fraction) if fraction is not None else None
        self.changed.emit(job.key)

    def _done(self, job: Job, event: Event, then: Callable[[Event], None] | None) -> None:
        self._jobs.pop(job.key, None)
        if then is not None:
            then(event)
        self.changed.emit(job.key)
        if self._jobs.get(job.key) is None:
            self.finished.emit(job.key, event)

    def _end(self, job: Job, state: str, error: DesktopRagError | None) -> None:
        job.state, job.error = state, error
        self.changed.emit(job.key)
        self.broken.emit(job.key)


def _is_over(job: Job) -> bool:
    """A stopped download, which is nothing any more once nothing of it is on the disk."""
    return job.state == STOPPED and job.title == DOWNLOADING


def _kill(worker: Worker) -> Event:
    worker.kill()
    return {}
