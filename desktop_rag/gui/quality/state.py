"""The user's own questions, as the window knows them, and the measurement that goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.quality import words
from desktop_rag.gui.tasks import Task, Tasks


class QualityState(QObject):
    """`changed` at every step, `questions_changed` when there are others; `failed(error)`; `kept(sentence)`."""

    changed = Signal()
    questions_changed = Signal()
    failed = Signal(object)
    kept = Signal(str)

    def __init__(self, backend: Backend, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._backend, self._tasks = backend, tasks
        self._task: Task | None = None
        self.questions: list[dict[str, Any]] = []
        self.sets: list[dict[str, Any]] = []
        self.left_out = 0
        self.text = ""
        self.share: float | None = None
        self.foreseen: list[str] = []
        """How long it will take to encode with the other encoders, a sentence each."""
        self.stopping = False

    # -- questions -----------------------------------------------------------------------------

    def read(self) -> None:
        """Ask for the questions."""
        self._ask("judged")

    def is_good(self, message: str) -> bool:
        """Whether an answer was called good."""
        return bool(message) and any(row["message"] == message for row in self.questions)

    def call_good(self, message: str) -> None:
        """Call an answer good, or take that back."""
        self._ask("judge_not" if self.is_good(message) else "judge", message=message)

    def add(self, question: str, passages: list[dict[str, Any]]) -> None:
        """Keep a typed question with its right passages."""
        self._ask("judge", question=question, passages=passages)

    def remove(self, judged: int) -> None:
        """Forget a question."""
        self._ask("judge_not", judged=judged)

    def search(self, question: str, collection: Any, done: Callable[[list[dict[str, Any]]], None]) -> None:
        """Look for passages that may be the right ones."""
        self._tasks.call(
            lambda: self._backend.library.call("search", query=question, collection=collection, mode="hybrid", k=8),
            lambda found: done(list(found["hits"])),
            self.failed.emit,
        )

    def _ask(self, op: str, **args: Any) -> None:
        self._tasks.call(lambda: self._backend.library.call(op, **args), self._take_questions, self.failed.emit)

    def _take_questions(self, answer: Event) -> None:
        self.questions = list(answer["questions"])
        self.questions_changed.emit()

    # -- measuring -----------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether something is being measured."""
        return self._task is not None

    def measure(self, *, encoders: bool = False) -> None:
        """Measure by the user's own questions, in every collection that has some; perhaps with the other encoders."""
        more = {"encoders": ["all"]} if encoders else {}
        self._begin(lambda: self._backend.library.stream("measure", **more))

    def measure_folder(self, folder: str) -> None:
        """Measure by a judged set."""
        self._begin(lambda: self._backend.evaluate(Path(folder)))

    def stop(self) -> None:
        """Stop at the next step."""
        if self._task is not None:
            self.stopping = True
            self._task.cancel()
            self.changed.emit()

    def keep_weights(self, collection: int, name: str, fusion: str) -> None:
        """Join words and meaning so in a collection from now on."""
        said = "The usual weights are in use again" if fusion == "usual" else f"{fusion} is in use from now on"
        self._tasks.call(
            lambda: self._backend.library.call("collection_fusion", collection=collection, fusion=fusion),
            lambda _answer: self._kept(collection, fusion, f"{said} in “{name}”."),
            self.failed.emit,
        )

    def encoder_changes(self, collection: int, name: str, encoder: str) -> None:
        """A collection changes to the better encoder; that is offered once."""
        for one in self.sets:
            if one.get("collection") == collection:
                one["better_encoder"] = None
        self.changed.emit()
        self.kept.emit(f"“{name}” is encoded anew with {encoder}. It can be searched meanwhile; then measure again.")

    def _kept(self, collection: int, fusion: str, said: str) -> None:
        for one in self.sets:
            if one.get("collection") == collection:
                one["fusion"] = {**one["fusion"], "now": fusion, "sure": False, "sentence": said}
        self.changed.emit()
        self.kept.emit(said)

    def _begin(self, source: Callable[[], Iterator[Event]]) -> None:
        if self._task is None:
            self.text, self.share, self.stopping, self.foreseen = "", None, False, []
            self._task = self._tasks.run(source, event=self._take, failed=self.failed.emit, finished=self._over)
            self.changed.emit()

    def _take(self, event: Event) -> None:
        if event["event"] == "progress":
            self.text = str(event.get("text") or "")
            self.share = event.get("fraction")
            if "foreseen" in event:
                self.foreseen.append(words.foreseen(event["foreseen"]))
        elif event["event"] == "done":
            self.sets = list(event.get("sets") or [event])
            self.left_out = int(event.get("left_out") or 0)
        self.changed.emit()

    def _over(self) -> None:
        self._task = None
        self.changed.emit()
