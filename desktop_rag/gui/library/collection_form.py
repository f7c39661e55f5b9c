"""The form of a collection: its name, what happens to private values, and whether each document is reviewed."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QButtonGroup, QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.controls import Radio, Tick
from desktop_rag.gui.pieces.labels import label
from desktop_rag.gui.theme import Theme

_WIDTH = 480
_INDENT = 31  # of the words beside a round button


class CollectionForm(QDialog):
    """`submitted({name, policy, review})`; an existing collection is edited, None makes a new one.

    `rules_wanted()` for the terms that are always or never replaced in an existing one, `import_wanted()` for another's
    instead of a new one.
    """

    submitted = Signal(object)
    rules_wanted = Signal()
    import_wanted = Signal()

    def __init__(
        self,
        theme: Theme,
        parent: QWidget,
        collection: dict[str, Any] | None = None,
        defaults: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(parent)
        present = collection or defaults or {}
        self.setWindowTitle("Collection" if collection else "New collection")
        self.setFixedWidth(_WIDTH)
        self.name = QLineEdit(str(collection["name"]) if collection else "")
        self.name.setAccessibleName("Name of the collection")
        self.name.setPlaceholderText("For example: Contracts 2025")
        self.policies = QButtonGroup(self)
        self.review = Tick(theme, "Show me what was found before a document is indexed")
        self.review.setChecked(bool(present.get("review", True)))
        self._save = TextButton(theme, "Save" if collection else "Create", self._submit, kind="primary")
        self._save.setDefault(True)
        self._build(theme, str(present.get("policy") or next(iter(words.POLICIES))), bool(collection))
        self.name.textChanged.connect(self._refresh)
        self._refresh()

    def _build(self, theme: Theme, policy: str, existing: bool) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(8)
        column.addWidget(label("Collection" if existing else "New collection", "title"))
        column.addWidget(self.name)
        column.addSpacing(6)
        column.addWidget(label("What happens to names, e-mail addresses and numbers", "heading", wrap=True))
        for number, (key, (name, text)) in enumerate(words.POLICIES.items()):
            button = Radio(theme, name)
            button.setAccessibleDescription(text)
            button.setChecked(key == policy)
            self.policies.addButton(button, number)
            note = label(text, "small", "muted", wrap=True)
            note.setContentsMargins(_INDENT, 0, 0, 4)
            choice = QVBoxLayout()
            choice.setSpacing(0)
            choice.addWidget(button)
            choice.addWidget(note)
            column.addLayout(choice)
        column.addWidget(self.review)
        if existing:
            self.terms = TextButton(theme, "What is replaced…", self.rules_wanted.emit, kind="link")
            column.addWidget(self.terms, 0, Qt.AlignmentFlag.AlignLeft)
            column.addWidget(
                label("A new choice holds for documents that are added from now on.", "small", "muted", wrap=True)
            )
        row = QHBoxLayout()
        if not existing:
            self.bring = TextButton(theme, "Import one…", self._bring, kind="link")
            row.addWidget(self.bring)
        row.addStretch(1)
        row.addWidget(TextButton(theme, "Cancel", self.reject))
        row.addWidget(self._save)
        column.addSpacing(4)
        column.addLayout(row)

    def showEvent(self, event: QShowEvent) -> None:
        """As high as the words at this width: a lone line would get the room of two."""
        super().showEvent(event)
        self.setFixedHeight(self.heightForWidth(_WIDTH))

    def _refresh(self) -> None:
        self._save.setEnabled(bool(self.name.text().strip()))

    def _bring(self) -> None:
        """Not a new one: another's, from a file."""
        self.reject()
        self.import_wanted.emit()

    def _submit(self) -> None:
        policy = list(words.POLICIES)[self.policies.checkedId()]
        self.submitted.emit({"name": self.name.text().strip(), "policy": policy, "review": self.review.isChecked()})
        self.accept()
