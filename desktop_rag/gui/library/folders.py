"""Watched folders, as the window knows them, and when they are looked at."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from desktop_rag.gui import words
from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.library.intake import Intake
from desktop_rag.gui.library.state import LibraryState
from desktop_rag.gui.tasks import Tasks

EVERY_MS = 30_000
CHANGES = {
    "added": ("added", "plus", "ok"),
    "changed": ("changed", "pencil", "accent"),
    "moved": ("moved", "folder-input", "muted"),
    "removed": ("removed", "minus", "muted"),
    "failed": ("failed", "circle-alert", "bad"),
}


class Folders(QObject):
    """`changed()` when another folder is watched, or something is known of one; `told(sentence, hint)`.

    Every half a minute all folders are looked at, but never twice at once, never while documents are
    worked on or work is put off, and never while an answer is written: `busy` says so.
    """

    changed = Signal()
    told = Signal(str, str)
    failed = Signal(object)

    def __init__(
        self,
        backend: Backend,
        tasks: Tasks,
        library: LibraryState,
        intake: Intake,
        busy: Callable[[], bool],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._backend, self._tasks, self._library, self._intake, self._busy = backend, tasks, library, intake, busy
        self.rows: list[dict[str, Any]] = []
        self._checking: set[int] = set()
        self._latest: dict[int, dict[str, Any]] = {}
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.look)
        self._begun = False
        self._asked: list[int] = []
        intake.settled.connect(self._settled)
        library.collections_changed.connect(self._follow)

    # -- what is known -------------------------------------------------------------------------

    def of(self, collection: dict[str, Any] | None) -> list[dict[str, Any]]:
        """The watched folders of a collection, or all."""
        return [row for row in self.rows if collection is None or row.get("collection") == collection["name"]]

    def checking(self, folder: int) -> bool:
        """Whether a folder is being looked at now."""
        return folder in self._checking

    def latest(self, folder: int) -> dict[str, Any]:
        """What the last look at a folder found, or nothing."""
        return self._latest.get(folder, {})

    def refresh(self, then: Callable[[], None] | None = None) -> None:
        """Ask which folders are watched."""

        def take(answer: Event) -> None:
            self.rows = list(answer.get("folders") or [])
            self.changed.emit()
            if then is not None:
                then()

        self._tasks.call(lambda: self._backend.library.call("folders"), take, self.failed.emit)

    # -- looking -------------------------------------------------------------------------------

    def begin(self) -> None:
        """The library is open and nothing is left to take up: look once, then every half a minute."""
        if not self._begun:
            self._begun = True
            self.refresh(self.look)
            self._timer.start()

    def end(self) -> None:
        """The window closes."""
        self._timer.stop()

    @property
    def free(self) -> bool:
        """Whether folders may be looked at now."""
        return not (self._intake.running or self._intake.paused or self._busy())

    def look(self) -> None:
        """Look at all folders that are watched, unless something else goes on."""
        watched = [int(row["id"]) for row in self.rows if not row.get("paused")]
        if watched and self.free:
            self._asked.clear()
            self._sync(None, watched)
        else:
            self.changed.emit()  # "2 min ago" has become 3

    def check(self, folder: int) -> None:
        """Look at one folder now, because a person asked."""
        if not self.free:
            self.told.emit("Something else is being worked on.", "The folder is checked right after that.")
        self._soon(folder)

    def _soon(self, folder: int) -> None:
        """Look at a folder now, or as soon as nothing else goes on."""
        if self.free:
            self._sync(folder, [folder])
        elif folder not in self._asked:
            self._asked.append(folder)

    def _sync(self, folder: int | None, watched: list[int]) -> None:
        self._checking = set(watched)
        self.changed.emit()
        self._intake.sync(folder, self._synced)

    def _synced(self, answer: Event) -> None:
        for summary in answer.get("folders") or []:
            self._latest[int(summary["folder"])] = dict(summary)
        if not self._checking:  # it had been put off
            self.refresh()

    def _settled(self) -> None:
        checked, self._checking = self._checking, set()
        if checked:
            self.refresh()
        if self._asked and self.free:
            self._soon(self._asked.pop(0))

    def _follow(self) -> None:
        """A collection was renamed or deleted: its folders are known by its name."""
        names = {row["name"] for row in self._library.collections}
        if any(row.get("collection") not in names for row in self.rows):
            self.refresh()

    # -- changing ------------------------------------------------------------------------------

    def watch(self, path: str, collection: str | None) -> None:
        """Keep a collection in step with a folder from now on; without one, a collection of the folder's name."""

        def watched(answer: Event) -> None:
            folder = answer["folder"]
            self._library.refresh_collections(lambda: self._library.choose_named(folder["collection"]))
            self.refresh(lambda: self._soon(int(folder["id"])))

        args = {"path": path} | ({"collection": collection} if collection else {})
        self._tasks.call(lambda: self._backend.library.call("folder_watch", **args), watched, self.failed.emit)

    def pause(self, folder: int, paused: bool) -> None:
        """Do not look at a folder, or go on."""
        self._change("folder_pause", None if paused else lambda: self._soon(folder), folder=folder, paused=paused)

    def forget(self, row: dict[str, Any]) -> None:
        """Watch a folder no longer; its documents stay."""
        name = words.file_name(Path(str(row["path"])).name)
        self._latest.pop(int(row["id"]), None)
        self._change(
            "folder_forget",
            lambda: self.told.emit(f"“{name}” is not watched any more.", "Its documents stay in the library."),
            folder=row["id"],
        )

    def _change(self, op: str, then: Callable[[], None] | None, **args: Any) -> None:
        self._tasks.call(
            lambda: self._backend.library.call(op, **args), lambda _answer: self.refresh(then), self.failed.emit
        )


def standing(row: dict[str, Any], *, checking: bool = False, latest: dict[str, Any] | None = None) -> tuple[str, str]:
    """How a watched folder stands, in words, and the role of their colour."""
    if row.get("paused"):
        return "Paused: changes are not followed", "muted"
    if checking:
        return "Checking…", "muted"
    if row.get("problem"):
        return f"{str(row['problem']).rstrip('.')}. Nothing was removed.", "warn"
    checked = row.get("checked")
    if not checked:
        return "Not checked yet", "muted"
    return " · ".join([f"Checked {words.ago(float(checked), time.time())}", *found(latest or {})]), "muted"


def found(summary: dict[str, Any]) -> list[str]:
    """What a look at a folder found: "2 added", "1 removed", "1 still being written"."""
    kinds = ("added", "changed", "moved", "removed")
    parts = [f"{words.count(int(summary[kind]))} {kind}" for kind in kinds if summary.get(kind)]
    if waiting := int(summary.get("waiting") or 0):
        parts.append(f"{words.count(waiting)} still being written")
    return parts
