"""Adding documents: from dropped paths to rows that are ready, through the review."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop_rag.errors import DesktopRagError, EngineError
from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.library.state import LibraryState
from desktop_rag.gui.tasks import Tasks
from desktop_rag.paths import assets_dir

SAMPLES = "Sample documents"
MOST_RESTARTS = 3


class Intake(QObject):
    """`progress(done, total, current name)`; `settled()` when no adding runs any more; `failed(error)`."""

    progress = Signal(int, int, str)
    settled = Signal()
    failed = Signal(object)

    def __init__(self, backend: Backend, tasks: Tasks, library: LibraryState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._backend, self._tasks, self._library = backend, tasks, library
        self._running = 0
        self._done = self._total = 0
        self._name = ""
        self._restarts = 0

    @property
    def running(self) -> bool:
        """Whether documents are being worked on."""
        return self._running > 0

    def add(self, paths: list[str], collection: dict[str, Any] | None, review: bool = True) -> None:
        """Add files and folders to a collection; the library decides where there is none."""
        args: dict[str, Any] = {"paths": paths, "review": review}
        if collection is not None:
            args["collection"] = collection["id"]
            args["review"] = bool(collection.get("review", review))
        self._name = Path(paths[0]).name if paths else ""
        self._run("add", args)

    def unlock(self, row: dict[str, Any], password: str) -> None:
        """Add an encrypted document again with its password."""
        self._name = str(row["name"])
        collection = self._library.collection(row["collection"]) or {}
        review = bool(collection.get("review", True))
        self._run(
            "add", {"paths": [row["path"]], "collection": row["collection"], "review": review, "passwords": [password]}
        )

    def add_samples(self) -> None:
        """The documents that come with the application, for a first look; nobody's data, so no review."""
        folder = assets_dir() / "samples"
        paths = [str(path) for path in sorted(folder.glob("*")) if path.suffix != ".json"]
        self._name = SAMPLES
        self._run("add", {"paths": paths, "collection": SAMPLES, "review": False})

    def resume(self) -> None:
        """Take up what an earlier run left unfinished."""
        self._run("resume", {})

    def accept(self, documents: list[str], decisions: dict[str, dict[Any, bool]]) -> None:
        """Index reviewed documents with the user's decisions."""
        self._run("accept", {"documents": documents, "decisions": decisions})

    def _run(self, op: str, args: dict[str, Any]) -> None:
        self._running += 1
        self._tasks.run(
            lambda: self._backend.library.stream(op, **args),
            event=self._take,
            failed=self._fail,
            finished=self._finished,
        )

    def _take(self, event: Event) -> None:
        kind = event.get("event")
        if kind == "document":
            self._name = str(event.get("name") or self._name)
            self._library.document_event(event)
        elif kind == "progress":
            self._done, self._total = int(event.get("files_done") or 0), int(event.get("files_total") or 0)
        if kind in ("document", "progress") and self._name:
            self.progress.emit(self._done, self._total, self._name)

    def _fail(self, error: DesktopRagError) -> None:
        self.failed.emit(error)
        if isinstance(error, EngineError) and error.retryable and self._restarts < MOST_RESTARTS:
            # What was interrupted lies in the database with its state; the next process goes on from there.
            self._restarts += 1
            self.resume()

    def _finished(self) -> None:
        self._running -= 1
        if not self._running:
            self._done = self._total = self._restarts = 0
            self.settled.emit()
        self._library.refresh()
