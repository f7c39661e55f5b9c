"""What the library holds, as the window knows it: collections, documents, conversations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui import words
from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.library.throttle import Throttle
from desktop_rag.gui.tasks import Tasks
from desktop_rag.store.files import write_private

_LEAVING_MS = 200
_NO_PROGRESS = dict.fromkeys(("rate", "left", "pages_checked", "pages_to_check"))


class LibraryState(QObject):
    """Signals tell what changed; `chosen` is the collection that is asked, None for all of them."""

    collections_changed = Signal()
    documents_changed = Signal()
    conversations_changed = Signal()
    document_moved = Signal(object)
    chosen_changed = Signal()
    encoding_changed = Signal()
    failed = Signal(object)

    def __init__(self, backend: Backend, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._backend, self._tasks = backend, tasks
        self.collections: list[dict[str, Any]] = []
        self.conversations: list[dict[str, Any]] = []
        self._documents: dict[str, dict[str, Any]] = {}
        self.chosen: dict[str, Any] | None = None
        self.loaded = False

    # -- reading -------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Ask for everything again."""
        self.refresh_collections()
        self.refresh_conversations()
        self._tasks.call(lambda: self._backend.library.call("documents"), self._take_documents, self.failed.emit)

    def refresh_collections(self, then: Callable[[], None] | None = None) -> None:
        """Ask for the collections and their counts."""

        def take(answer: Event) -> None:
            self._take_collections(answer)
            if then is not None:
                then()

        self._tasks.call(lambda: self._backend.library.call("collections"), take, self.failed.emit)

    def refresh_conversations(self) -> None:
        """Ask for the conversations."""
        self._tasks.call(
            lambda: self._backend.library.call("conversations"), self._take_conversations, self.failed.emit
        )

    def documents(self, collection: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """The documents of a collection, or all, latest first."""
        rows = [row for row in self._documents.values() if collection is None or belongs(row, collection)]
        return list(reversed(rows))

    def document(self, identifier: str) -> dict[str, Any] | None:
        """One document by id."""
        return self._documents.get(identifier)

    def outermost(self, document: dict[str, Any]) -> dict[str, Any]:
        """The document whose file lies on the disk, of one that was found inside it."""
        row, seen = document, {str(document.get("id"))}
        while (parent := self._documents.get(str(row.get("parent")))) is not None and str(parent["id"]) not in seen:
            seen.add(str(parent["id"]))
            row = parent
        return row

    def path(self, document: dict[str, Any]) -> str:
        """The file on the disk a document was read from."""
        outer = self.outermost(document)
        whole = str(outer.get("path") or "")
        # A part whose container is not known here says by itself where it lies.
        return whole if outer.get("parent") is None else whole.split("!", 1)[0]

    def place(self, document: dict[str, Any], done: Callable[[Event], None]) -> None:
        """Look where a document's file lies: {path, folder or "", there}; a drive may need its time."""
        path = Path(self.path(document))

        def look() -> Event:
            return {
                "path": str(path),
                "folder": str(path.parent) if path.parent.is_dir() else "",
                "there": path.exists(),
            }

        self._tasks.call(look, done, self.failed.emit)

    def waiting(self) -> int:
        """How many documents are not finished and need no person."""
        return sum(row.get("state") in words.WORKING for row in self._documents.values())

    def collection(self, key: object) -> dict[str, Any] | None:
        """A collection by id or name."""
        return next((row for row in self.collections if key in (row["id"], row["name"])), None)

    def counted(self) -> list[dict[str, Any]]:
        """The collections with the number of documents that are known now, while some come in."""
        if not self.loaded:
            return self.collections
        numbers = Counter(row.get("collection") for row in self._documents.values())
        return [{**row, "documents": numbers[row["id"]] + numbers[row["name"]]} for row in self.collections]

    def _take_collections(self, answer: Event) -> None:
        self.collections = list(answer.get("collections") or [])
        if self.chosen is not None:
            self.chosen = self.collection(self.chosen["id"])
        elif len(self.collections) == 1:
            self.chosen = self.collections[0]
        self.collections_changed.emit()

    def _take_documents(self, answer: Event) -> None:
        self._documents = {str(row["id"]): row for row in answer.get("documents") or []}
        self.loaded = True
        self.documents_changed.emit()

    def _take_conversations(self, answer: Event) -> None:
        self.conversations = list(answer.get("conversations") or [])
        self.conversations_changed.emit()

    # -- changing ------------------------------------------------------------------------------

    def choose(self, collection: dict[str, Any] | None) -> None:
        """Ask this collection from now on."""
        self.chosen = collection
        self.chosen_changed.emit()

    def choose_named(self, name: object) -> None:
        """Ask the collection of this name or id from now on, if it is there."""
        if (found := self.collection(name)) is not None:
            self.choose(found)

    def document_event(self, event: Event) -> None:
        """Take a `document` event of add, accept or resume."""
        identifier = str(event.get("document") or event.get("id") or "")
        known = identifier in self._documents
        row = {**self._documents.get(identifier, {}), **_NO_PROGRESS, **event, "id": identifier}
        row.pop("event", None)
        self._documents[identifier] = row
        if known:
            self.document_moved.emit(row)
        else:
            self.documents_changed.emit()

    def reading(self, identifier: str, progress: dict[str, Any]) -> None:
        """How far a document is: what its event says, `rate` in pages per second, `left` in seconds."""
        if identifier in self._documents:
            row = {**self._documents[identifier], **progress}
            self._documents[identifier] = row
            self.document_moved.emit(row)

    def encoding_event(self, event: Event) -> None:
        """Take an `encoding` event: how far a collection is on its way to another encoder."""
        told = {"name": event["encoder"], **{key: event[key] for key in ("passages_done", "passages")}}
        self.collections = [
            {**row, "next_encoder": told} if row["name"] == event["collection"] else row for row in self.collections
        ]
        if self.chosen is not None:
            self.chosen = self.collection(self.chosen["id"])
        self.encoding_changed.emit()

    def drop(self, identifiers: list[str]) -> None:
        """Documents that are not there any more, and what was found inside them."""
        gone = set(identifiers)
        while inside := {key for key, row in self._documents.items() if row.get("parent") in gone} - gone:
            gone |= inside
        for identifier in gone:
            self._documents.pop(identifier, None)
        self.documents_changed.emit()

    def forget(self, identifiers: list[str]) -> None:
        """Documents that were removed."""
        self.drop(identifiers)
        self.refresh_collections()

    def reviewing(self) -> list[dict[str, Any]]:
        """The documents that wait for their review."""
        return [row for row in self._documents.values() if row.get("state") == "reviewing"]

    def erase(self, op: str, done: Callable[[Event], None], heard: Callable[[Event], None], **args: Any) -> None:
        """Run a request that erases: a document leaves the list as soon as it is gone; `done` takes the receipt.

        `heard` is given every event before.
        """
        gone: list[str] = []

        def leave() -> None:
            self.drop(gone)
            gone.clear()

        leaving = Throttle(self, leave, _LEAVING_MS)

        def event(event: Event) -> None:
            if event["event"] == "removed":
                gone.append(str(event["document"]))
                leaving.ask()
            heard(event)

        def over(answer: Event) -> None:
            leaving.now()
            self.refresh_collections()
            self.refresh_conversations()
            done(answer)

        def wrong(error: DesktopRagError) -> None:
            self.refresh()
            self.failed.emit(error)

        self._tasks.run(lambda: self._backend.library.stream(op, **args), event=event, done=over, failed=wrong)

    def write(self, path: Path, content: bytes, done: Callable[[], None]) -> None:
        """Save a file that the user asked for, where they asked for it."""

        def save() -> Event:
            write_private(path, content)
            return {}

        self._tasks.call(save, lambda _saved: done(), self.failed.emit)

    def change(self, op: str, done: Any = None, failed: Any = None, **args: Any) -> None:
        """Run a changing request, then ask for the collections and conversations again."""

        def after(answer: Event) -> None:
            self.refresh_collections()
            self.refresh_conversations()
            if done is not None:
                done(answer)

        def wrong(error: DesktopRagError) -> None:
            (failed or self.failed.emit)(error)

        self._tasks.call(lambda: self._backend.library.call(op, **args), after, wrong)


def belongs(document: dict[str, Any], collection: dict[str, Any]) -> bool:
    """Whether a document lies in a collection, however the row names it."""
    return document.get("collection") in (collection["id"], collection["name"])
