"""One passage that was read: where it is, how it was found, and its text with pseudonyms."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.chat import markup
from desktop_rag.gui.chat.rich_text import RichText
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.labels import ElidedLabel, IconLabel, label, restyle
from desktop_rag.gui.reveal import Reveal
from desktop_rag.gui.theme import Theme

_LONGEST = 420
INSTRUCTIONS = "Looks like instructions to the model: read as text"
INSTRUCTIONS_MEAN = (
    "Sentences of this passage speak to the model instead of the reader. They stay in your document and can be "
    "found and cited; the model is not shown them."
)


class PassageCard(QFrame):
    """`opened(passage)` by a click anywhere on the card or its Open button."""

    opened = Signal(object)

    def __init__(
        self, theme: Theme, reveal: Reveal, passage: dict[str, Any], number: int, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self.passage = passage
        self._reveal = reveal
        self._text = RichText(theme, reveal, "body")
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        name = words.file_name(passage.get("name"))
        self._text.setAccessibleName(f"Passage {number} from {name}")
        self.setAccessibleName(f"Passage {number}: {name}, {words.place(passage)}")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._build(theme, name, number)
        reveal.changed.connect(self._refresh)
        theme.watch(self._refresh)
        reveal.want(str(passage.get("text") or ""))

    def _build(self, theme: Theme, name: str, number: int) -> None:
        icon = words.FORMAT_ICONS.get(name.rpartition(".")[2].lower(), "file")
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(IconLabel(theme, icon, "muted"))
        head.addWidget(ElidedLabel(name, "heading"), 1)
        head.addWidget(label(words.place(self.passage), "small", "muted"))
        foot = QHBoxLayout()
        foot.setSpacing(6)
        foot.addWidget(ElidedLabel(found_by(self.passage), "small", "muted"), 1)
        self._unread = label("not read", "small", "muted")
        self._unread.setToolTip("Found by the search; the model was not given it.")
        self._unread.hide()
        foot.addWidget(self._unread)
        button = TextButton(theme, "Open", lambda: self.opened.emit(self.passage), kind="link")
        button.setAccessibleName(f"Open passage {number} in the viewer")
        foot.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 6)
        column.setSpacing(6)
        column.addLayout(head)
        section = str(self.passage.get("context") or "")
        if section and section != words.place(self.passage):
            column.addWidget(ElidedLabel(section, "small", "muted"))
        column.addWidget(self._text)
        if self.passage.get("instruction_like"):
            column.addLayout(_instruction_mark(theme))
        if others := words.also_in(self.passage):
            column.addWidget(ElidedLabel(others, "small", "muted"))
        column.addLayout(foot)

    def _refresh(self) -> None:
        text = " ".join(str(self.passage.get("text") or "").split())
        short = text if len(text) <= _LONGEST else text[:_LONGEST].rsplit(" ", 1)[0] + "…"
        self._text.show_blocks(markup.plain(short, self._reveal.stand_ins))

    def set_read(self, read: bool) -> None:
        """Whether the model was given the passage."""
        self._unread.setVisible(not read)

    def choose(self, chosen: bool) -> None:
        """Mark the card whose passage is open in the viewer."""
        self.setProperty("chosen", "true" if chosen else "false")
        restyle(self)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click opens or picks."""
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.opened.emit(self.passage)


def _instruction_mark(theme: Theme) -> QHBoxLayout:
    """A calm word that the passage speaks to the model, and what that means for the reader."""
    words_of_it = label(INSTRUCTIONS, "small", "warn", wrap=True)
    words_of_it.setToolTip(INSTRUCTIONS_MEAN)
    row = QHBoxLayout()
    row.setSpacing(6)
    row.addWidget(IconLabel(theme, "shield-alert", "warn", 14))
    row.addWidget(words_of_it, 1)
    return row


def found_by(passage: dict[str, Any]) -> str:
    """Which stages found a passage and how high: "meaning 0.62 · words 8.4"; its support for a citation."""
    scores = dict(sorted((passage.get("scores") or {}).items(), key=lambda pair: pair[0] != "hybrid"))
    parts = [f"{words.STAGES.get(stage, stage)} {value:.2f}" for stage, value in scores.items() if value is not None]
    if not parts and passage.get("score") is not None:
        parts = [f"score {float(passage['score']):.2f}"]
    if not parts and passage.get("support"):
        parts = [words.SUPPORT.get(str(passage["support"]), ("", "", ""))[2]]
    return " · ".join(parts)
