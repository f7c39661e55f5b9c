"""The receipt of an erasure in the window: what was erased, what was looked for afterwards, and a way to keep it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QFileDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.controls import Tick
from desktop_rag.gui.pieces.labels import ElidedLabel, IconLabel, label, line
from desktop_rag.gui.theme import Theme
from desktop_rag.privacy.receipt import KINDS, erased_words, facts, proof_words, without_names
from desktop_rag.privacy.receipt_page import content

_WIDTH = 520
_MOST_NAMES = 4
_FILTERS = ["Page to read and print (*.html)", "JSON (*.json)"]


class ReceiptSheet(QDialog):
    """`saving(path, content)` when the user has chosen where to keep the receipt."""

    saving = Signal(Path, bytes)

    def __init__(self, theme: Theme, receipt: dict[str, Any], parent: QWidget) -> None:
        super().__init__(parent)
        self._receipt = receipt
        self.setWindowTitle("Receipt")
        self.setFixedWidth(_WIDTH)
        self.nameless = Tick(theme, "Leave names out of the saved receipt")
        self.nameless.setToolTip("The start of the file's SHA-256 stands in place of its name.")
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(8)
        column.addWidget(label("Receipt", "title"))
        column.addLayout(self._verdict(theme))
        column.addSpacing(4)
        for text in _names(receipt):
            name = ElidedLabel(text, "heading")
            name.mode = Qt.TextElideMode.ElideMiddle
            column.addWidget(name)
        column.addWidget(label(erased_words(receipt, list(KINDS)), wrap=True))
        column.addSpacing(4)
        column.addWidget(line())
        column.addSpacing(4)
        column.addLayout(_grid(facts(receipt)))
        column.addSpacing(4)
        for note in receipt["notes"]:
            column.addWidget(label(note, "small", "muted", wrap=True))
        column.addSpacing(8)
        column.addWidget(self.nameless)
        column.addSpacing(4)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(TextButton(theme, "Close", self.reject))
        self.save = TextButton(theme, "Save receipt…", self._choose, kind="primary")
        self.save.setDefault(True)
        row.addWidget(self.save)
        column.addLayout(row)
        self.save.setFocus()

    def showEvent(self, event: QShowEvent) -> None:
        """As high as the words at this width."""
        super().showEvent(event)
        self.setFixedHeight(self.heightForWidth(self.width()))

    def keep(self, path: Path) -> None:
        """Save it there, as a page or as JSON by the file's ending."""
        shown = without_names(self._receipt) if self.nameless.isChecked() else self._receipt
        self.saving.emit(path, content(shown, path.suffix))
        self.accept()

    def _verdict(self, theme: Theme) -> QHBoxLayout:
        verified = self._receipt["verified"]
        role = "ok" if verified else "bad"
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(IconLabel(theme, "circle-check" if verified else "triangle-alert", role))
        row.addWidget(label(proof_words(self._receipt), tone=role, wrap=True), 1)
        return row

    def _choose(self) -> None:
        dialog = QFileDialog(self, "Save receipt")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters(_FILTERS)
        dialog.setDefaultSuffix("html")
        dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix("json" if "JSON" in chosen else "html"))
        dialog.selectFile("receipt.html")
        dialog.fileSelected.connect(lambda path: self.keep(Path(path)))
        dialog.open()


def receipt_words(receipt: dict[str, Any]) -> tuple[str, str]:
    """A receipt in two sentences, and the kind of notice they make."""
    failed = [row["error"]["message"] for row in receipt["documents"] if "error" in row]
    if failed:
        return " ".join(["Not all of it.", *dict.fromkeys(failed)]), "notice"
    if not receipt["documents"]:
        return "", "calm"
    return f"{erased_words(receipt)} {proof_words(receipt)}", "calm" if receipt["verified"] else "error"


def _names(receipt: dict[str, Any]) -> list[str]:
    """The documents, a line each; those that could not be erased with the reason."""
    rows = receipt["documents"]
    told = [
        f"{row['document']}: {row['error']['message']}" if "error" in row else str(row["name"])
        for row in sorted(rows, key=lambda row: "error" not in row)
    ]
    return told if len(told) <= _MOST_NAMES + 1 else [*told[:_MOST_NAMES], f"and {len(told) - _MOST_NAMES:,} more"]


def _grid(pairs: list[tuple[str, str]]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(16)
    grid.setVerticalSpacing(4)
    grid.setColumnStretch(1, 1)
    for at, (word, said) in enumerate(pairs):
        grid.addWidget(label(word, "small", "muted"), at, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(label(said, "small", wrap=True), at, 1)
    return grid
