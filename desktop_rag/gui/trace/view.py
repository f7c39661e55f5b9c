"""The Why tab: the steps on the way to one answer, and every candidate for its prompt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QScrollArea, QStackedLayout, QVBoxLayout, QWidget

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.chat.entries import Answer
from desktop_rag.gui.pieces.bars import number
from desktop_rag.gui.pieces.empty import EmptyState
from desktop_rag.gui.pieces.labels import ElidedLabel, label
from desktop_rag.gui.pieces.notice import Notice
from desktop_rag.gui.reveal import Reveal
from desktop_rag.gui.tasks import Tasks
from desktop_rag.gui.theme import Theme
from desktop_rag.gui.trace import words
from desktop_rag.gui.trace.rows import TraceRows

_EMPTY = ("Why this answer?", "Press “Why this answer?” under an answer: how its passages were found stands here.")
_MARGIN = 12


class TraceView(QWidget):
    """`opened(passage)` when a row is to be shown in its document."""

    opened = Signal(object)

    def __init__(self, theme: Theme, reveal: Reveal, backend: Backend, tasks: Tasks) -> None:
        super().__init__()
        self._theme, self._reveal, self._backend, self._tasks = theme, reveal, backend, tasks
        self._answer: Answer | None = None
        self._passages: dict[int, dict[str, Any]] = {}
        self.said = _EMPTY
        self.question = ElidedLabel("", "heading")
        self.notice = Notice(theme)
        self.rows = TraceRows(theme)
        self.lines: list[words.Line] = []
        self._steps = QGridLayout()
        self._heading = label("", "small", "muted")
        self._empty = EmptyState(theme, "layers", *_EMPTY)
        self._scroll, self._canvas = QScrollArea(), QWidget()
        self._build()
        self.rows.opened.connect(self.opened)
        self.rows.selectionModel().currentChanged.connect(lambda index, _before: self._follow(index.row()))
        reveal.changed.connect(self._fill)

    def _build(self) -> None:
        column = QVBoxLayout(self._canvas)
        column.setContentsMargins(_MARGIN, 10, _MARGIN, _MARGIN)
        column.setSpacing(8)
        column.addWidget(self.question)
        column.addWidget(self.notice)
        self._steps.setHorizontalSpacing(12)
        self._steps.setVerticalSpacing(2)
        self._steps.setColumnStretch(1, 1)
        column.addLayout(self._steps)
        column.addSpacing(4)
        column.addWidget(self._heading)
        column.addWidget(self.rows)
        column.addStretch(1)
        self._scroll.setWidget(self._canvas)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setAccessibleName("Why this answer")
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._scroll)

    # -- content -------------------------------------------------------------------------------

    def clear(self) -> None:
        """Show no answer any more."""
        self._answer, self._passages = None, {}
        self._say(_EMPTY)

    def show_answer(self, answer: Answer) -> None:
        """Show how this answer came about."""
        self.clear()
        self._answer = answer
        if answer.data.get("trace"):
            self.reload()
        else:
            self._say(words.NOT_KEPT)

    def _say(self, words_: tuple[str, str]) -> None:
        self.said = words_
        self._empty.say(*words_)
        self._stack.setCurrentIndex(0)

    def reload(self) -> None:
        """Ask again for what is behind the rows: a document may have been removed since."""
        answer = self._answer
        if answer is None or not answer.data.get("trace"):
            return
        chunks = [int(row["chunk"]) for row in answer.data["trace"]["rows"]]
        self._tasks.call(
            lambda: self._backend.library.call("passages", chunks=chunks),
            done=lambda found: self._take(answer, found),
            failed=lambda error: self._fail(answer, error),
        )

    def _take(self, answer: Answer, found: Event) -> None:
        if answer is self._answer:
            self._passages = {int(passage["chunk"]): passage for passage in found["passages"]}
            self._reveal.want(answer.question, *(str(passage["text"]) for passage in self._passages.values()))
            self._show_notes(answer.data["trace"])
            self._fill()

    def _fail(self, answer: Answer, error: DesktopRagError) -> None:
        if answer is self._answer:
            self._fill()
            self.notice.say_error(error, "Retry", self.reload)

    def _show_notes(self, traced: Mapping[str, Any]) -> None:
        notes = " ".join(str(note) for note in traced.get("notes") or ())
        if notes:
            self.notice.say(notes, kind="notice")
        else:
            self.notice.hide()

    def _fill(self) -> None:
        if self._answer is None or not self._answer.data.get("trace"):
            return
        traced = self._answer.data["trace"]
        self.question.setText(self._reveal.words(self._answer.question))
        self._show_steps(words.lines(self._answer.data))
        self._heading.setText("Candidates, the best first" if traced["rows"] else "Nothing was found.")
        self.rows.show_rows(traced["rows"], words.stages(traced), self._passages, self._reveal.words)
        self._stack.setCurrentIndex(1)

    def _show_steps(self, lines: list[words.Line]) -> None:
        if lines == self.lines and self._steps.count():
            return
        self.lines = lines
        while (item := self._steps.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for place, step in enumerate(lines):
            self._steps.addWidget(label(step.name, "small"), place, 0)
            self._steps.addWidget(ElidedLabel(step.found, "small", "muted"), place, 1)
            self._steps.addWidget(number(self._theme, step.time), place, 2)

    def _follow(self, row: int) -> None:
        """Keep the row in sight that the keyboard is on."""
        if row >= 0:
            area = self.rows.place(row)
            top = self.rows.mapTo(self._canvas, area.topLeft())
            self._scroll.ensureVisible(top.x(), top.y(), 0, 0)
            self._scroll.ensureVisible(top.x(), top.y() + area.height(), 0, 0)
