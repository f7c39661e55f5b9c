"""The user's own questions: those of good answers and typed ones, and a form to type another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from desktop_rag.gui import words as common
from desktop_rag.gui.pieces.buttons import IconButton, TextButton
from desktop_rag.gui.pieces.controls import Tick
from desktop_rag.gui.pieces.labels import ElidedLabel, IconLabel, label, line
from desktop_rag.gui.pieces.panel import Panel
from desktop_rag.gui.quality import words
from desktop_rag.gui.reveal import Reveal
from desktop_rag.gui.theme import Theme

_MOST_SHOWN = 50
_PREVIEW = 280
_NONE = "None yet. Press the thumb under a good answer, or type a question below and name its right passage."


class QuestionForm(QWidget):
    """`searched(question)`, then `kept(question, passages)` once the right ones are ticked."""

    searched = Signal(str)
    kept = Signal(str, list)

    def __init__(self, theme: Theme, reveal: Reveal) -> None:
        super().__init__()
        self._theme, self._reveal = theme, reveal
        self._question = ""
        self._hits: list[dict[str, Any]] = []
        self.ticks: list[Tick] = []
        self.field = QLineEdit()
        self.field.setPlaceholderText("Type a question you would ask your documents")
        self.field.setAccessibleName("Question")
        self.field.setAcceptDrops(False)
        self.look = TextButton(theme, "Find passages", self._search, icon="search")
        self.keep = TextButton(theme, "Keep question", self._keep, kind="primary")
        self._hint = label("", "small", "muted", wrap=True)
        row = QHBoxLayout()
        row.addWidget(self.field, 1)
        row.addWidget(self.look)
        self._found = QVBoxLayout()
        self._found.setSpacing(6)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self._hint)
        column.addLayout(self._found)
        last = QHBoxLayout()
        last.addStretch(1)
        last.addWidget(self.keep)
        column.addLayout(last)
        self.field.returnPressed.connect(self._search)
        self.clear()

    def clear(self) -> None:
        """An empty form."""
        self.field.clear()
        self._show([], "")

    def show_hits(self, question: str, hits: list[dict[str, Any]]) -> None:
        """Offer passages for a question."""
        if question == self._question:
            self._reveal.want(*(str(hit["text"]) for hit in hits))
            self._show(hits, "Tick every passage that answers it." if hits else "Nothing was found for this.")

    def _show(self, hits: list[dict[str, Any]], hint: str) -> None:
        while (item := self._found.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        self._hits, self.ticks = hits, []
        for hit in hits:
            self._found.addWidget(self._row(hit))
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        self.keep.setVisible(bool(hits))
        self._refresh()

    def _row(self, hit: dict[str, Any]) -> QWidget:
        tick = Tick(self._theme, words.where(hit))
        tick.toggled.connect(self._refresh)
        self.ticks.append(tick)
        text = label(self._preview(hit), "small", "muted", wrap=True)
        text.setContentsMargins(32, 0, 0, 0)
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(tick)
        column.addWidget(text)
        return holder

    def _preview(self, hit: dict[str, Any]) -> str:
        text = " ".join(self._reveal.words(str(hit["text"])).split())
        return text if len(text) <= _PREVIEW else text[:_PREVIEW].rsplit(" ", 1)[0] + "…"

    def _refresh(self) -> None:
        self.keep.setEnabled(any(tick.isChecked() for tick in self.ticks))

    def _search(self) -> None:
        self._question = self.field.text().strip()
        if self._question:
            self.searched.emit(self._question)

    def _keep(self) -> None:
        right = [hit for hit, tick in zip(self._hits, self.ticks, strict=True) if tick.isChecked()]
        self.kept.emit(self._question, right)
        self.clear()


class QuestionsPanel(Panel):
    """`removed(id)` and `opened(passage)` by the buttons of a row."""

    removed = Signal(int)
    opened = Signal(object)

    def __init__(self, theme: Theme, reveal: Reveal) -> None:
        super().__init__("Your questions", "They stay in your encrypted library, and go with their documents.")
        self._theme, self._reveal = theme, reveal
        self._questions: list[dict[str, Any]] = []
        self._rows = QVBoxLayout()
        self._rows.setSpacing(4)
        self.form = QuestionForm(theme, reveal)
        self._none = label(_NONE, tone="muted", wrap=True)
        self.body.addWidget(self._none)
        self.body.addLayout(self._rows)
        self.body.addWidget(line())
        self.body.addWidget(self.form)
        reveal.changed.connect(self._fill)

    def show_questions(self, questions: list[dict[str, Any]]) -> None:
        """List these."""
        self._questions = questions
        self._reveal.want(*(str(row["question"]) for row in questions[:_MOST_SHOWN]))
        self._fill()

    def _fill(self) -> None:
        while (item := self._rows.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for row in self._questions[:_MOST_SHOWN]:
            self._rows.addWidget(self._row(row))
        if (more := len(self._questions) - _MOST_SHOWN) > 0:
            self._rows.addWidget(label(f"and {common.count(more)} more", "small", "muted"))
        self._none.setVisible(not self._questions)

    def _row(self, row: dict[str, Any]) -> QWidget:
        holder = QWidget()
        across = QHBoxLayout(holder)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(8)
        question = self._reveal.words(str(row["question"]))
        icon = IconLabel(self._theme, "thumbs-up" if row["message"] else "pencil", "muted")
        icon.setToolTip("From a good answer" if row["message"] else "Typed")
        across.addWidget(icon)
        across.addWidget(ElidedLabel(question), 1)
        for passage in row["passages"][:1]:
            link = TextButton(self._theme, words.where(passage), self._opener(passage), kind="link")
            across.addWidget(link)
        if (more := len(row["passages"]) - 1) > 0:
            across.addWidget(label(f"+ {more}", "small", "muted"))
        forget = IconButton(self._theme, "trash-2", f"Forget “{question}”", lambda: self.removed.emit(row["id"]))
        across.addWidget(forget)
        return holder

    def _opener(self, passage: dict[str, Any]) -> Callable[[], None]:
        return lambda: self.opened.emit(passage)
