"""Real values for the vault's owner: asked for in the background, kept in memory only, shown on demand."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.private_text import readable, tokens
from desktop_rag.gui.tasks import Tasks


class Reveal(QObject):
    """`shown` is the toggle of the header; `changed` fires when the toggle or the known values change."""

    changed = Signal()

    def __init__(self, backend: Backend, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._backend, self._tasks = backend, tasks
        self._values: dict[str, str] = {}
        self._asked: set[str] = set()
        self._collection: str | None = None
        self.shown = False

    def use(self, collection: str | None) -> None:
        """Pseudonyms belong to a collection: another one means other people."""
        if collection != self._collection:
            self._collection = collection
            self._values.clear()
            self._asked.clear()
            self.changed.emit()

    def set_shown(self, shown: bool) -> None:
        """Show real values in place of pseudonyms, or hide them again."""
        self.shown = shown
        self.changed.emit()

    def want(self, *texts: str) -> None:
        """Fetch the values of every pseudonym in these texts that is not known yet."""
        missing = [token for text in texts for token in tokens(text) if token not in self._asked]
        if not missing:
            return
        self._asked.update(missing)
        collection = self._collection
        self._tasks.call(
            lambda: self._backend.library.call("reveal", texts=missing, collection=collection),
            done=lambda answer: self._keep(answer, collection),
            failed=lambda _error: self._asked.difference_update(missing),
        )

    def value(self, token: str) -> str | None:
        """The real value, if it is known."""
        return self._values.get(token)

    def words(self, text: str) -> str:
        """A text as it reads on the screen, under the present toggle."""
        return readable(text, self._values if self.shown else None)

    def _keep(self, answer: Event, collection: str | None) -> None:
        if collection == self._collection:
            self._values.update(answer.get("values") or {})
            self.changed.emit()
