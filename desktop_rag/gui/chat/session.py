"""One conversation and the answer in progress: from the typed question to the finished, kept answer."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui.backend import Backend, Event, Worker
from desktop_rag.gui.chat import entries
from desktop_rag.gui.tasks import Task, Tasks

_PATIENCE_MS = 300


def _end(worker: Worker) -> Event:
    worker.kill()
    return {}


class Session(QObject):
    """Holds the entries on the screen; every change is told by a signal.

    `stored(question)` means the typed text may go; `refused(error)` that it must stay.
    """

    replaced = Signal(list)
    added = Signal(object)
    changed = Signal(object)
    grew = Signal(object)
    stored = Signal()
    refused = Signal(object)
    running = Signal(bool)
    measured = Signal(dict)
    saved = Signal(str)

    def __init__(self, backend: Backend, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._backend, self._tasks = backend, tasks
        self._task: Task | None = None
        self._answer: entries.Answer | None = None
        self.conversation: str | None = None
        self.collection: str | None = None

    # -- conversations -------------------------------------------------------------------------

    def start_new(self) -> None:
        """Leave the present conversation and begin an empty one."""
        self.stop()
        self._detach()
        self.conversation = None
        self.replaced.emit([])

    def open(self, conversation: str) -> None:
        """Show a stored conversation."""
        self.stop()
        self._detach()
        self.conversation = conversation
        self._tasks.call(
            lambda: self._backend.library.call("conversation", id=conversation),
            done=lambda answer: self._show(conversation, answer),
            failed=self.refused.emit,
        )

    def _show(self, conversation: str, answer: Event) -> None:
        if self.conversation == conversation:
            self.replaced.emit(entries.from_messages(list(answer.get("messages") or [])))

    # -- one question --------------------------------------------------------------------------

    @property
    def is_running(self) -> bool:
        """Whether an answer is in progress."""
        return self._task is not None

    def ask(self, question: str, strategy: str | None = None) -> None:
        """Ask, by a strategy of `answering.answer` if one is named; the question is stored first."""
        if self._task is not None:
            return
        answer = entries.Answer(question)
        collection, conversation = self.collection, self.conversation
        how = {"strategy": strategy} if strategy else {}
        task = self._tasks.run(
            lambda: self._backend.answer(question, collection=collection, conversation=conversation, **how),
            event=lambda event: self._take(answer, event),
            failed=lambda error: self._fail(answer, error),
        )
        task.cancelled.connect(lambda: self._cancelled(answer))
        task.finished.connect(lambda: self._finished(task, answer))
        self._task, self._answer = task, answer
        self.running.emit(True)

    def stop(self) -> None:
        """Stop the answer; what was written so far is kept. A worker that does not obey soon is ended."""
        task = self._task
        if task is None:
            return
        task.cancel()
        self._backend.answering.cancel()
        QTimer.singleShot(_PATIENCE_MS, self, lambda: self._insist(task))

    def _insist(self, task: Task) -> None:
        worker = self._backend.answering
        if self._task is task and worker.busy:
            self._tasks.call(partial(_end, worker))

    def _detach(self) -> None:
        """Leave a running answer to end by itself, out of sight."""
        if self._task is not None:
            self._task, self._answer = None, None
            self.running.emit(False)

    def _take(self, answer: entries.Answer, event: Event) -> None:
        kind = event.get("event")
        if kind == "stored":
            self._begin(answer, event)
        elif kind == "sources":
            answer.passages = list(event.get("passages") or [])
            answer.coverage = dict(event.get("coverage") or {})
            answer.phase = entries.READING
            self._tell(answer)
        elif kind in ("reading_all", "reducing"):
            answer.reading_all = event
            self._tell(answer)
        elif kind == "token":
            self._grow(answer, event)
        elif kind == "prefill":
            self.measured.emit(event)
        elif kind == "partial":
            answer.partial_reason = str(event.get("reason") or "")
            answer.partial = str(event.get("message") or "The answer is not complete.")
        elif kind == "done":
            self._complete(answer, event)

    def _begin(self, answer: entries.Answer, event: Event) -> None:
        if self._answer is not answer:
            return
        answer.stored = True
        answer.question = str(event.get("question") or answer.question)
        self.conversation = str(event.get("conversation") or "") or self.conversation
        self.stored.emit()
        self.added.emit(entries.Question(answer.question))
        self.added.emit(answer)
        if self.conversation:
            self.saved.emit(self.conversation)

    def _grow(self, answer: entries.Answer, event: Event) -> None:
        answer.text += str(event.get("text") or "")
        if answer.phase != entries.STREAMING:
            answer.phase = entries.STREAMING
            self._tell(answer)
        elif self._answer is answer:
            self.grew.emit(answer)
        self.measured.emit(event)

    def _complete(self, answer: entries.Answer, event: Event) -> None:
        answer.text = str(event.get("answer") or answer.text)
        answer.data = dict(event)
        answer.message = str(event.get("message") or "")
        answer.coverage = dict(event.get("coverage") or answer.coverage)
        answer.phase = entries.ENDED
        self.measured.emit(event)
        self._tell(answer)

    def _fail(self, answer: entries.Answer, error: DesktopRagError) -> None:
        if self._answer is not answer:
            return
        answer.error = error
        if answer.stored:
            answer.phase = entries.ENDED
            self._tell(answer)
        else:
            self.refused.emit(error)

    def _cancelled(self, answer: entries.Answer) -> None:
        answer.phase = entries.ENDED
        answer.partial_reason = answer.partial_reason or "cancelled"
        self._tell(answer)

    def _finished(self, task: Task, answer: entries.Answer) -> None:
        if self._task is not task:
            return
        self._task = None
        if answer.phase != entries.ENDED:
            answer.phase = entries.ENDED
            self._tell(answer)
        self.running.emit(False)
        if self.conversation:
            self.saved.emit(self.conversation)

    def _tell(self, answer: entries.Answer) -> None:
        if self._answer is answer:
            self.changed.emit(answer)
