"""A question of the user: a soft card at the right edge of the column, with its actions under the pointer."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QEnterEvent, QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop_rag.gui.chat.entries import Question
from desktop_rag.gui.pieces.buttons import IconButton
from desktop_rag.gui.pieces.labels import label
from desktop_rag.gui.private_text import readable, split
from desktop_rag.gui.reveal import Reveal
from desktop_rag.gui.theme import Theme

_WIDEST = 560
_PADDING, _ABOVE = 14, 10


class QuestionCard(QWidget):
    """Shows the question under the present reveal toggle; `on_edit(text)` puts it back into the composer."""

    def __init__(self, theme: Theme, reveal: Reveal, question: Question, on_edit: Callable[[str], None]) -> None:
        super().__init__()
        self._question, self._reveal, self._theme = question, reveal, theme
        self._plain = ""
        self._text = label("", "reading", wrap=True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        card = QFrame()
        card.setProperty("kind", "soft")
        inside = QVBoxLayout(card)
        inside.setContentsMargins(_PADDING, _ABOVE, _PADDING, _ABOVE)
        inside.addWidget(self._text)
        self._actions = _actions(theme, self.copy, lambda: on_edit(reveal.words(question.text)))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addStretch(1)
        row.addWidget(self._actions, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(card, 0)
        self._text.setTextFormat(Qt.TextFormat.RichText)
        reveal.changed.connect(self._refresh)
        theme.changed.connect(self._refresh)
        self._refresh()
        reveal.want(question.text)

    def copy(self) -> None:
        """Put the question on the clipboard with what stands for private values."""
        QGuiApplication.clipboard().setText(readable(self._question.text))

    def _refresh(self) -> None:
        words = self._reveal.words(self._question.text)
        self._plain = words
        self._text.setText(self._marked())
        self.setAccessibleName(f"You asked: {words}")
        self.height_at(self.width())

    def _marked(self) -> str:
        """The question with what stands for private values, or those, in violet."""
        colour = self._theme.colour("private").name()
        shown = []
        for piece in split(self._question.text, self._reveal.stand_ins):
            words = escape(self._reveal.words(piece.text)).replace("\n", "<br>")
            shown.append(f'<span style="color:{colour}">{words}</span>' if piece.token else words)
        return f'<span style="white-space:pre-wrap">{"".join(shown)}</span>'

    def height_at(self, width: int) -> int:
        """The height at a width of the column; the card is as wide as its text, within what is left."""
        self._text.ensurePolished()
        words = self._plain.split("\n")
        longest = max((self._text.fontMetrics().horizontalAdvance(line) for line in words), default=0)
        room = min(_WIDEST, width - self._actions.sizeHint().width() - 8) - 2 * _PADDING
        self._text.setFixedWidth(max(40, min(longest + 4, room)))
        return self._text.heightForWidth(self._text.width()) + 2 * _ABOVE

    def enterEvent(self, event: QEnterEvent) -> None:
        """The pointer comes: show the actions."""
        _fade(self._actions, True)
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """The pointer leaves: hide the actions."""
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
