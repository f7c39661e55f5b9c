"""Adding documents: from dropped paths to rows that are ready, through the review; it can be paused and goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop_rag.errors import DesktopRagError, EngineError
from desktop_rag.gui import words
from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.library.pace import Pace
from desktop_rag.gui.library.state import LibraryState
from desktop_rag.gui.tasks import Task, Tasks
from desktop_rag.paths import assets_dir

SAMPLES = "Sample documents"
MOST_RESTARTS = 3
_WORDS = ("pages", "pages_read", "pages_ocr", "pages_checked", "pages_to_check")
_PAGES = {"reading": ("pages_read", "pages"), "checking": ("pages_checked", "pages_to_check")}


@dataclass(slots=True)
class _Job:
    """One request for work: once it is `entered`, all it is about lies in the database with its state."""

    op: str
    args: dict[str, Any]
    done: Callable[[Event], None] | None = None
    entered: bool = False
    changed: bool = False
    name: str = ""
    paused: bool = False
    task: Task | None = None


class Intake(QObject):
    """`progress(done, total, current name)`; `settled()` when no adding runs any more; `failed(error)`.

    `paused_changed()` when work was put off or taken up again. `cleaned_again(number)` when documents were;
    `encoding(event)` while a collection changes to another encoder.
    """

    progress = Signal(int, int, str)
    settled = Signal()
    failed = Signal(object)
    paused_changed = Signal()
    cleaned_again = Signal(int)
    encoding = Signal(object)

    def __init__(self, backend: Backend, tasks: Tasks, library: LibraryState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._backend, self._tasks, self._library = backend, tasks, library
        self._jobs: list[_Job] = []
        self._put_off: list[_Job] = []
        self._paces: dict[str, Pace] = {}
        self._done = self._total = 0
        self._restarts = 0
        self._paused = False
        self.page = ""

    @property
    def running(self) -> bool:
        """Whether documents are being worked on."""
        return bool(self._jobs)

    @property
    def paused(self) -> bool:
        """Whether a person put work off."""
        return self._paused

    # -- what can be asked ---------------------------------------------------------------------

    def add(self, paths: list[str], collection: dict[str, Any] | str | None, review: bool = True) -> None:
        """Add files and folders to a collection, or to a new one of a name; the library decides where there is none."""
        args: dict[str, Any] = {"paths": paths}
        if isinstance(collection, str):
            args["collection"] = collection
        else:
            args["review"] = review
        if isinstance(collection, dict):
            args["collection"] = collection["id"]
            args["review"] = bool(collection.get("review", review))
        self._run("add", args, name=Path(paths[0]).name if paths else "")

    def unlock(self, row: dict[str, Any], password: str) -> None:
        """Add an encrypted document again with its password."""
        self._again([self._library.path(row)], row.get("collection"), str(row["name"]), passwords=[password])

    def retry(self, rows: Iterable[dict[str, Any]]) -> None:
        """Read documents again that could not be read, or not wholly, each from its file; once per collection."""
        files: dict[Any, dict[str, str]] = {}
        chosen = list(rows)
        if partly := [row for row in chosen if row.get("state") == "partly_read"]:
            self._run("reread", {"documents": [row["id"] for row in partly]}, name=str(partly[0].get("name") or ""))
        for row in chosen:
            if row in partly:
                continue
            files.setdefault(row.get("collection"), {}).setdefault(self._library.path(row), str(row.get("name") or ""))
        for collection, paths in files.items():
            self._again(list(paths), collection, next(iter(paths.values())))

    def add_samples(self) -> None:
        """The documents that come with the application, for a first look; nobody's data, so no review."""
        folder = assets_dir() / "samples"
        paths = [str(path) for path in sorted(folder.glob("*")) if path.suffix != ".json"]
        self._run("add", {"paths": paths, "collection": SAMPLES, "review": False}, name=SAMPLES)

    def resume(self) -> None:
        """Take up what an earlier run left unfinished."""
        self._run("resume", {})

    def accept(self, documents: list[str], decided: dict[str, dict[str, Any]]) -> None:
        """Index reviewed documents with the user's "decisions", "marks" and "policies"."""
        self._run("accept", {"documents": documents, **decided})

    def clean_again(self) -> None:
        """Take out of documents what is known to be private since they were indexed; work that was put off does it."""
        if not self._paused:
            self._run("clean_again", {})

    def change_encoder(self, collection: int, name: str) -> None:
        """Encode a collection's passages anew with another encoder, and search with that once it is done."""
        self._run("collection_encoder", {"collection": collection, "name": name})

    def sync(self, folder: int | None = None, done: Callable[[Event], None] | None = None) -> None:
        """Bring the collections of the watched folders up to date, or that of one."""
        self._run("sync", {} if folder is None else {"folder": folder}, done=done)

    # -- pausing -------------------------------------------------------------------------------

    def pause(self) -> None:
        """Stop after the present step; what was read is kept."""
        if self._jobs and not self._paused:
            self._paused = True
            for job in self._jobs:
                job.paused = True
                if job.task is not None:
                    job.task.cancel()
                # The task itself only looks at its next event, and a long document has none for a while.
                self._backend.library.cancel(job.op)
            self.paused_changed.emit()

    def go_on(self) -> None:
        """Take up what was put off."""
        if not self._paused:
            return
        self._paused = False
        put_off, self._put_off = self._put_off, []
        again = [job for job in put_off if not job.entered and job.op != "resume"]
        for job in again:
            self._run(job.op, job.args, name=job.name, done=job.done)
        if len(again) < len(put_off):
            self.resume()
        self.paused_changed.emit()

    # -- running -------------------------------------------------------------------------------

    def _again(self, paths: list[str], collection: Any, name: str, **more: Any) -> None:
        review = bool((self._library.collection(collection) or {}).get("review", True))
        self._run("add", {"paths": paths, "collection": collection, "review": review, **more}, name=name)

    def _run(
        self, op: str, args: dict[str, Any], *, name: str = "", done: Callable[[Event], None] | None = None
    ) -> None:
        if self._paused:
            # Whoever brings new work does not want to wait for it; the rest goes on with it.
            self.go_on()
        job = _Job(op, args, done, name=name)
        self._jobs.append(job)
        job.task = self._tasks.run(
            lambda: self._backend.library.stream(op, **args),
            event=lambda event: self._take(job, event),
            failed=lambda error: self._fail(job, error),
            done=done,
            finished=lambda: self._finished(job),
        )

    def _take(self, job: _Job, event: Event) -> None:
        kind, identifier = event.get("event"), str(event.get("document") or "")
        if kind == "document":
            job.name, job.changed = str(event.get("name") or job.name), True
            self._paces.pop(identifier, None)
            self.page = ""
            self._library.document_event(event)
        elif kind in _PAGES:
            self._read(identifier, event, *(event.get(name) for name in _PAGES[kind]))
        elif kind == "removed":
            job.changed = True
            self._library.drop([identifier])
        elif kind == "cleaned_again":
            self.cleaned_again.emit(int(event["documents"]))
        elif kind == "encoding":
            job.entered = True
            self._library.encoding_event(event)
            self.encoding.emit(event)
        elif kind == "progress":
            job.entered = True
            self._done, self._total = int(event.get("files_done") or 0), int(event.get("files_total") or 0)
        if kind in ("document", "progress", *_PAGES) and job.name and (job.op != "sync" or job.changed):
            self.progress.emit(self._done, self._total, job.name)

    def _read(self, identifier: str, event: Event, pages: int | None, total: int | None) -> None:
        now = time.monotonic()
        pace = self._paces.setdefault(identifier, Pace())
        pace.read(pages or 0, now)
        progress = {key: event[key] for key in _WORDS if key in event} | {
            "rate": pace.rate(now),
            "left": pace.left(total, now),
        }
        self.page = words.reading(progress)
        self._library.reading(identifier, progress)

    def _fail(self, job: _Job, error: DesktopRagError) -> None:
        if job.paused:
            return
        self.failed.emit(error)
        if isinstance(error, EngineError) and error.retryable and self._restarts < MOST_RESTARTS:
            # What was interrupted lies in the database with its state; the next process goes on from there.
            self._restarts += 1
            self.resume()

    def _finished(self, job: _Job) -> None:
        self._jobs.remove(job)
        if job.paused and self._paused:
            self._put_off.append(job)
        elif job.paused:  # it was gone on with before it had stopped
            self._run(*((job.op, job.args) if not job.entered else ("resume", {})), name=job.name, done=job.done)
        if not self._jobs:
            self._done = self._total = self._restarts = 0
            self._paces.clear()
            self.page = ""
            self.settled.emit()
        # A folder in which nothing changed leaves the library as it is.
        if job.op != "sync" or job.changed or job.paused:
            self._library.refresh()
