"""The chat page: header, conversation, composer, put together around one `Session`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui.chat.answer_card import AnswerCard
from desktop_rag.gui.chat.column import Column
from desktop_rag.gui.chat.composer import Composer
from desktop_rag.gui.chat.entries import Answer, Entry, Question
from desktop_rag.gui.chat.first_screen import FirstScreen
from desktop_rag.gui.chat.header import Header
from desktop_rag.gui.chat.question_card import QuestionCard
from desktop_rag.gui.chat.session import Session
from desktop_rag.gui.pieces.labels import line, set_kind
from desktop_rag.gui.pieces.notice import Notice
from desktop_rag.gui.reveal import Reveal
from desktop_rag.gui.theme import Theme


class ChatPage(QWidget):
    """`answer_shown(answer)` when its sources should be listed; `cited(answer, marker)` when a chip is clicked."""

    answer_shown = Signal(object)
    cited = Signal(object, int)
    passage_opened = Signal(object, object)
    why_wanted = Signal(object)
    good_wanted = Signal(object)

    def __init__(self, theme: Theme, reveal: Reveal, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_kind(self, "page")
        self._theme, self._reveal, self._session = theme, reveal, session
        self._latest: Answer | None = None
        self.is_good: Callable[[str], bool] = lambda _message: False
        self.header = Header(theme, reveal)
        self.first = FirstScreen(theme)
        self.column = Column(self._make, theme.tokens.size["column"])
        self.column.setAccessibleName("Conversation")
        self.notice = Notice(theme, closable=True)
        self.composer = Composer(theme)
        self._build()
        self._connect()

    def _build(self) -> None:
        self._stack = QStackedLayout()
        self._stack.addWidget(self.first)
        self._stack.addWidget(self.column)
        foot = QVBoxLayout()
        foot.setContentsMargins(0, 0, 0, 0)
        foot.setSpacing(8)
        foot.addWidget(self.notice)
        foot.addWidget(self.composer)
        holder = QWidget()
        holder.setMaximumWidth(self._theme.tokens.size["column"] + 24)
        holder.setLayout(foot)
        centre = QHBoxLayout()
        centre.setContentsMargins(16, 0, 16, 14)
        centre.addWidget(holder, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(line())
        column.addLayout(self._stack, 1)
        column.addLayout(centre)

    def _connect(self) -> None:
        session = self._session
        session.replaced.connect(self._replace)
        session.added.connect(self._add)
        session.changed.connect(self._update)
        session.grew.connect(self._grow)
        session.stored.connect(self._stored)
        session.refused.connect(self._refused)
        session.running.connect(self.composer.set_running)
        self.composer.asked.connect(self.ask)
        self.composer.stopped.connect(session.stop)
        self.first.asked.connect(self.ask)

    def read_all(self, question: str) -> None:
        """Ask again, and have every passage read for it."""
        self.ask(question, "whole")

    def write_out(self, question: str) -> None:
        """Ask again, and have the model write from everything that speaks of it."""
        self.ask(question, "map_reduce")

    def ask(self, question: str, strategy: str | None = None) -> None:
        """Ask; the text stays in the composer until it is stored."""
        self.notice.hide()
        if self.composer.text() != question:
            self.composer.put(question)
        self._session.ask(question, strategy)

    # -- entries -------------------------------------------------------------------------------

    def _make(self, entry: Entry) -> QWidget:
        if isinstance(entry, Question):
            return QuestionCard(self._theme, self._reveal, entry, self.composer.put)
        card = AnswerCard(self._theme, self._reveal, entry)
        card.cited.connect(self.cited)
        card.passage_opened.connect(self.passage_opened)
        card.why_wanted.connect(self.why_wanted)
        card.good_wanted.connect(self.good_wanted)
        card.show_good(self.is_good(entry.message))
        card.ask_again.connect(self.ask)
        card.read_all.connect(self.read_all)
        card.write_out.connect(self.write_out)
        card.resized.connect(self.column.entry_resized)
        return card

    def _replace(self, shown: list[Entry]) -> None:
        self.notice.hide()
        self.column.show_entries(shown)
        self._stack.setCurrentIndex(1 if shown else 0)
        answers = [entry for entry in shown if isinstance(entry, Answer)]
        self._latest = answers[-1] if answers else None
        self.answer_shown.emit(self._latest)

    def _add(self, entry: Entry) -> None:
        self._stack.setCurrentIndex(1)
        self.column.append(entry)
        if isinstance(entry, Answer):
            self._latest = entry

    def _update(self, answer: Answer) -> None:
        card = self.column.widget_of(answer)
        if isinstance(card, AnswerCard):
            card.update_entry()
            card.show_good(self.is_good(answer.message))
        self.answer_shown.emit(answer)

    def _grow(self, answer: Answer) -> None:
        card = self.column.widget_of(answer)
        if isinstance(card, AnswerCard):
            card.grow()

    def show_good(self) -> None:
        """Show anew which answers were called good."""
        for card in self.column.findChildren(AnswerCard):
            card.show_good(self.is_good(card.message))

    def ring(self, answer: Answer, marker: int | None) -> None:
        """Ring the chip whose passage is open, and no other."""
        for card in self.column.findChildren(AnswerCard):
            card.ring(None)
        card_ = self.column.widget_of(answer)
        if isinstance(card_, AnswerCard):
            card_.ring(marker)

    def _stored(self) -> None:
        self.composer.clear()

    def _refused(self, error: DesktopRagError) -> None:
        self.notice.say_error(error)
        self.composer.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def latest(self) -> Answer | None:
        """The last answer on the screen."""
        return self._latest

    def answer_card(self, answer: Any) -> AnswerCard | None:
        """The widget of an answer, if it is near the viewport."""
        card = self.column.widget_of(answer)
        return card if isinstance(card, AnswerCard) else None
