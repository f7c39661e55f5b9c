"""Real values for the vault's owner: asked for in the background, kept in memory only, shown on demand."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.private_text import is_pseudonym, readable
from desktop_rag.gui.tasks import Tasks


class Reveal(QObject):
    """`shown` is the toggle of the header; `changed` fires when the toggle or the known values change."""

    changed = Signal()
    toggled = Signal(bool)

    def __init__(self, backend: Backend, tasks: Tasks, parent: QObject | None = None, *, shown: bool = False) -> None:
        super().__init__(parent)
        self._backend, self._tasks = backend, tasks
        self._values: dict[str, str] = {}
        self._asked: set[int] = set()
        self._collection: int | None = None
        self.shown = shown

    def use(self, collection: int | None) -> None:
        """What stands for a value belongs to a collection: another one means other people."""
        if collection != self._collection:
            self._collection = collection
            self._values.clear()
            self._asked.clear()
            self.changed.emit()

    @property
    def stand_ins(self) -> list[str]:
        """The believable stand-ins that are known to be such, as they are written."""
        return [token for token in self._values if not is_pseudonym(token)]

    def set_shown(self, shown: bool) -> None:
        """Show real values in place of what stands for them, or hide them again."""
        if shown == self.shown:
            return
        self.shown = shown
        self.toggled.emit(shown)
        self.changed.emit()

    def want(self, *texts: str) -> None:
        """Fetch what stands for something in these texts, unless they were asked about before."""
        missing = [text for text in dict.fromkeys(texts) if text and hash(text) not in self._asked]
        if not missing:
            return
        asked = {hash(text) for text in missing}
        self._asked |= asked
        collection = self._collection
        self._tasks.call(
            lambda: self._backend.library.call("reveal", texts=missing, collection=collection),
            done=lambda answer: self._keep(answer, collection),
            failed=lambda _error: self._asked.difference_update(asked),
        )

    def value(self, token: str) -> str | None:
        """The real value, if it is known."""
        return self._values.get(token)

    def words(self, text: str) -> str:
        """A text as it reads on the screen, under the present toggle."""
        return readable(text, self._values if self.shown else None)

    def _keep(self, answer: Event, collection: int | None) -> None:
        new = {token: value for token, value in (answer.get("values") or {}).items() if token not in self._values}
        if collection == self._collection and new:
            self._values.update(new)
            self.changed.emit()
