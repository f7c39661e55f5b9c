"""A question of the user: a soft card at the right edge of the column, with its actions under the pointer."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QEnterEvent, QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from desktop_rag.gui.chat.entries import Question
from desktop_rag.gui.pieces.buttons import IconButton
from desktop_rag.gui.pieces.labels import label
from desktop_rag.gui.reveal import Reveal
from desktop_rag.gui.theme import Theme

_WIDEST = 560


class QuestionCard(QWidget):
    """Shows the question under the present reveal toggle; `on_edit(text)` puts it back into the composer."""

    def __init__(self, theme: Theme, reveal: Reveal, question: Question, on_edit: Callable[[str], None]) -> None:
        super().__init__()
        self._question, self._reveal = question, reveal
        self._text = label("", "reading", wrap=True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        card = QFrame()
        card.setProperty("kind", "soft")
        card.setMaximumWidth(_WIDEST)
        inside = QVBoxLayout(card)
        inside.setContentsMargins(14, 10, 14, 10)
        inside.addWidget(self._text)
        self._actions = _actions(theme, self.copy, lambda: on_edit(reveal.words(question.text)))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addStretch(1)
        row.addWidget(self._actions, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(card, 0)
        self._card = card
        reveal.changed.connect(self._refresh)
        self._refresh()

    def copy(self) -> None:
        """Put the question on the clipboard, as it reads."""
        QGuiApplication.clipboard().setText(self._reveal.words(self._question.text))

    def _refresh(self) -> None:
        words = self._reveal.words(self._question.text)
        self._text.setText(words)
        self._fit(self._text, words)
        self.setAccessibleName(f"You asked: {words}")

    def _fit(self, text: QLabel, words: str) -> None:
        text.ensurePolished()
        longest = max((text.fontMetrics().horizontalAdvance(line) for line in words.split("\n")), default=0)
        text.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        text.setMinimumWidth(min(longest + 4, 300))
        text.setMaximumWidth(min(longest + 4, _WIDEST - 30))
        self._card.setMinimumWidth(min(longest + 34, 330))

    def enterEvent(self, event: QEnterEvent) -> None:  # noqa: D102 - Qt
        _fade(self._actions, True)
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:  # noqa: D102 - Qt
        _fade(self._actions, False)
        super().leaveEvent(event)


def _actions(theme: Theme, on_copy: Callable[[], None], on_edit: Callable[[], None]) -> QWidget:
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(2)
    row.addWidget(IconButton(theme, "copy", "Copy question", on_copy, size=14))
    row.addWidget(IconButton(theme, "pencil", "Edit and ask again", on_edit, size=14))
    _fade(holder, False)
    return holder


def _fade(holder: QWidget, visible: bool) -> None:
    for button in holder.findChildren(IconButton):
        button.set_quiet(not visible)
