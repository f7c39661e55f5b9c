"""The question when a folder is added: follow what changes in it, or take what is in it now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QDialog, QHBoxLayout, QVBoxLayout, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.controls import Choice, Radio
from desktop_rag.gui.pieces.labels import ElidedLabel, label
from desktop_rag.gui.theme import Theme

_WAYS = (
    ("Watch this folder", "New, changed and deleted files follow by themselves while this window is open."),
    ("Add it once", "What is in it now is added. What changes in it later is not noticed."),
)


class FolderForm(QDialog):
    """`submitted(watch, collection)`; None stands for a new collection of each folder's name."""

    submitted = Signal(bool, object)

    def __init__(
        self,
        theme: Theme,
        parent: QWidget,
        folders: list[str],
        collections: list[dict[str, Any]],
        chosen: dict[str, Any] | None,
    ) -> None:
        super().__init__(parent)
        self._collections = collections
        self._new = words.file_name(Path(folders[0]).name or folders[0])
        self.setWindowTitle(f"Add “{self._new}”" if len(folders) == 1 else f"Add {len(folders)} folders")
        self.setMinimumWidth(440)
        self.ways = QButtonGroup(self)
        self.collection = Choice(theme)
        self.collection.setAccessibleName("Collection the documents go to")
        self._fill(chosen, several=len(folders) > 1)
        self.go = TextButton(theme, "Watch folder", self._submit, kind="primary")
        self.go.setDefault(True)
        self._build(theme, folders)
        self.ways.idToggled.connect(self._refresh)
        self._refresh()

    @property
    def watches(self) -> bool:
        """Whether the folder shall be watched."""
        return self.ways.checkedId() == 0

    def _fill(self, chosen: dict[str, Any] | None, *, several: bool) -> None:
        taken = {str(row["name"]) for row in self._collections}
        if self._new not in taken:
            own = f"A new collection “{self._new}”"
            self.collection.addItem("A new collection for each folder" if several else own, None)
        for place, row in enumerate(self._collections):
            self.collection.addItem(str(row["name"]), place)
        if chosen is not None:
            self.collection.setCurrentIndex(max(0, self.collection.findText(str(chosen["name"]))))

    def _build(self, theme: Theme, folders: list[str]) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(8)
        column.addWidget(label(self.windowTitle(), "title"))
        for path in folders[:3]:
            column.addWidget(ElidedLabel(words.file_name(path), "small", "muted"))
        column.addSpacing(6)
        for number, (way, meaning) in enumerate(_WAYS):
            button = Radio(theme, way)
            button.setAccessibleDescription(meaning)
            button.setChecked(number == 0)
            self.ways.addButton(button, number)
            note = label(meaning, "small", "muted", wrap=True)
            note.setContentsMargins(28, 0, 0, 4)
            column.addWidget(button)
            column.addWidget(note)
        column.addSpacing(4)
        column.addWidget(label("Its documents go to", "heading"))
        column.addWidget(self.collection)
        column.addWidget(label("The files stay where they are; only their text is read.", "small", "muted", wrap=True))
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(TextButton(theme, "Cancel", self.reject))
        row.addWidget(self.go)
        column.addSpacing(4)
        column.addLayout(row)

    def _refresh(self) -> None:
        self.go.say("Watch folder" if self.watches else "Add once")

    def _submit(self) -> None:
        place = self.collection.currentData()
        self.submitted.emit(self.watches, None if place is None else self._collections[place])
        self.accept()
