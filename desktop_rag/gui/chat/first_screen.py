"""The first screen of a new chat: what to do, and three questions to try when the sample documents are there."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop_rag import paths
from desktop_rag.gui import words
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.labels import IconLabel, label
from desktop_rag.gui.theme import Theme


@cache
def sample_questions() -> dict[str, str]:
    """File name of a sample document -> a question it answers."""
    try:
        loaded: dict[str, str] = json.loads(
            (paths.assets_dir() / "samples" / "questions.json").read_text(encoding="utf-8")
        )
    except (OSError, ValueError):
        return {}
    return loaded


class FirstScreen(QWidget):
    """Teaches by its state: opening, no documents yet, or ready to be asked."""

    asked = Signal(str)
    add_wanted = Signal()
    samples_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._icon = IconLabel(theme, "shield-check", "accent", 32)
        self._title = label("", "display")
        self._sentence = label("", "reading", "muted", wrap=True)
        self._buttons = QWidget()
        self._examples = QVBoxLayout()
        self._examples.setSpacing(8)
        self._build()
        self.show_opening()

    def _build(self) -> None:
        self._title.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._title.setWordWrap(True)
        self._sentence.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        row = QHBoxLayout(self._buttons)
        row.setContentsMargins(0, 8, 0, 0)
        row.addStretch(1)
        row.addWidget(TextButton(self._theme, "Add documents…", self.add_wanted.emit, kind="primary", icon="file-plus"))
        row.addWidget(TextButton(self._theme, "Try the sample documents", self.samples_wanted.emit))
        row.addStretch(1)
        inner = QWidget()
        inner.setMaximumWidth(560)
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self._title)
        column.addWidget(self._sentence)
        column.addWidget(self._buttons)
        column.addSpacing(8)
        column.addLayout(self._examples)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 24, 24, 24)
        outer.addStretch(2)
        centre = QHBoxLayout()
        centre.addStretch(1)
        centre.addWidget(inner, 100)
        centre.addStretch(1)
        outer.addLayout(centre)
        outer.addStretch(3)

    def show_opening(self) -> None:
        """While the library starts."""
        self._say(
            "lock", "Opening your library…", "The index is decrypted and checked before the first question.", False, []
        )

    def show_empty(self) -> None:
        """No documents yet."""
        self._say(
            "file-plus",
            "Drop documents here",
            "Names, e-mail addresses and numbers are found and shown to you before anything is indexed. "
            "Nothing leaves this computer.",
            True,
            [],
        )

    def show_ready(self, collection: str | None, documents: list[dict[str, Any]]) -> None:
        """Documents are there: say so, and offer questions about the samples among them."""
        names = {str(document.get("name")) for document in documents}
        questions = [question for name, question in sample_questions().items() if name in names][:3]
        of = f" in {collection}" if collection else ""
        sentence = f"{words.plural(len(documents), 'document')}{of}. Every answer shows what it rests on."
        self._say("quote", "Ask your documents", sentence, False, questions)

    @property
    def title(self) -> str:
        """The large words."""
        return self._title.text()

    @property
    def questions(self) -> list[str]:
        """The offered questions."""
        items = (self._examples.itemAt(place) for place in range(self._examples.count()))
        buttons = (item.widget() for item in items if item is not None)
        return [button.text() for button in buttons if isinstance(button, TextButton)]

    def _say(self, icon: str, title: str, sentence: str, buttons: bool, questions: list[str]) -> None:
        self._icon.show_icon(icon, "accent")
        self._title.setText(title)
        self._sentence.setText(sentence)
        self._buttons.setVisible(buttons)
        while (item := self._examples.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        for question in questions:
            self._examples.addWidget(self._example(question))

    def _example(self, question: str) -> TextButton:
        return TextButton(
            self._theme, question, lambda: self.asked.emit(question), kind="example", icon="message-square"
        )
