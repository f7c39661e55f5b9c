"""Deciding in the review: ticks, rules of the collection, marks by hand, taking back, and storing all of it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.review.decisions import Decisions
from desktop_rag.gui.review.entries import Entry, Heading, Row
from desktop_rag.gui.review.session import Session
from desktop_rag.gui.tasks import Tasks
from desktop_rag.privacy.rules import ALWAYS, Kind


class Deciding(QObject):
    """`changed(span)`: there may be other values than before, and this is the one looked at; `ticked()`: none are.

    `told(sentence)` when a rule was made, `failed(error)` when something could not be stored.
    """

    changed = Signal(object)
    ticked = Signal()
    told = Signal(str)
    failed = Signal(object)

    def __init__(self, backend: Backend, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._backend, self._tasks = backend, tasks
        self.session = Session()

    def tick(self, row: Row, replace: bool) -> None:
        """Replace a value, or all of a type, or leave it as it is."""
        entries = row.entries if isinstance(row, Heading) else [row]
        if all(entry.together for entry in entries):
            self.session.set_everywhere([(entry.label, entry.span.key) for entry in entries], replace)
        else:
            self.session.decide(row.places, replace)
        self.ticked.emit()

    def obey(self, kind: Kind, entry: Entry) -> None:
        """Make a rule of the collection about a value, and decide by it at once."""
        span, session = entry.span, self.session
        if not span.key:
            return
        step, told = session.obey(kind, span, entry.document.document)

        def made(answer: Event) -> None:
            if not session.made(step, answer):
                self._forget(answer)  # it was taken back meanwhile

        self._tasks.call(lambda: self._backend.library.call("rule_add", **told), made, failed=self._not_remembered)
        value, said = " ".join(span.text.split()), "always" if kind == ALWAYS else "never"
        self.changed.emit(span)
        self.told.emit(f"“{value}” is {said} replaced in {told['collection']} from now on.")

    def _not_remembered(self, error: DesktopRagError) -> None:
        hint = f"The decision holds for the documents shown here, but was not remembered. {error.hint}".strip()
        self.failed.emit(type(error)(error.code, error.message, hint))

    def undo(self, entry: Entry | None) -> None:
        """Take the last decision back, with the rule that was made."""
        if self.session.can_undo:
            for made in self.session.undo():
                self._forget(made)
            self.changed.emit(entry.span if entry else None)

    def _forget(self, made: Event) -> None:
        """Forget a rule that was just made; what was said about its term before holds again."""
        before = made.get("before")
        op, args = "rule_forget", {name: made["rule"][name] for name in ("term", "collection")}
        if before:
            op, args = "rule_add", {name: before[name] for name in ("kind", "term", "label", "collection")}
        self._tasks.call(lambda: self._backend.library.call(op, **args), failed=self.failed.emit)

    def mark(self, decisions: Decisions, start: int, end: int, label: str, *, everywhere: bool) -> bool:
        """Mask a stretch of a document's text; whether there is a word in it."""
        if not self.session.mark(decisions, start, end, label, everywhere=everywhere):
            return False
        self.changed.emit(next((span for span in decisions.spans if span.start < end and start < span.end), None))
        return True

    def keep(self, then: Callable[[], object] = lambda: None) -> None:
        """Store what was decided so far, so that it is there whenever the review goes on; `then` when all of it is."""
        session = self.session
        told = {document: asked for document in session.collections if (asked := session.asked(document))}

        def store() -> Event:
            for document, asked in told.items():
                self._backend.library.call("decide", document=document, **asked)
            return {}

        def stored(_answer: Event) -> None:
            # Only what is stored for certain is not sent again with the last word.
            for document, asked in told.items():
                session.stored(document, asked)
            then()

        if told:
            self._tasks.call(store, stored, failed=self.failed.emit)
        else:
            then()
