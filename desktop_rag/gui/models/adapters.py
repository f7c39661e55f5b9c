"""LoRA adapters of a model: a popover with a scale for each, switched while the model stays loaded."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QSlider, QVBoxLayout, QWidget

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui import words
from desktop_rag.gui.models import facts
from desktop_rag.gui.pieces.bars import number
from desktop_rag.gui.pieces.buttons import IconButton, TextButton
from desktop_rag.gui.pieces.labels import ElidedLabel, label
from desktop_rag.gui.pieces.notice import Notice
from desktop_rag.gui.pieces.popover import Popover
from desktop_rag.gui.theme import Theme

_STEPS = 20  # a twentieth of the full strength each
_MOST = 40
_SETTLE_MS = 200


class Adapters(Popover):
    """`chosen(row, adapters)` with [{path, scale}] when something was changed."""

    chosen = Signal(object, list)

    def __init__(self, theme: Theme, parent: QWidget, row: dict[str, Any]) -> None:
        super().__init__(parent, 360)
        self._theme, self._row = theme, row
        self.adapters = [
            {"path": str(item["path"]), "scale": float(item.get("scale", 1.0))} for item in row.get("adapters") or ()
        ]
        self.setAccessibleName("Adapters")
        self.notice = Notice(theme)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_SETTLE_MS)
        self._later.timeout.connect(self._tell)
        self._list = QVBoxLayout()
        self._list.setSpacing(8)
        self.body.addWidget(label(f"Adapters of {facts.title(row)}", "heading", wrap=True))
        self.body.addWidget(
            label("A LoRA changes how the model writes. 0 switches it off, 1 is full strength.", "small", "muted",
                  wrap=True)
        )  # fmt: skip
        self.body.addLayout(self._list)
        self.body.addWidget(self.notice)
        self.body.addWidget(TextButton(theme, "Add an adapter…", self._pick, kind="link", icon="plus", role="accent"))
        self._fill()

    def _fill(self) -> None:
        while (item := self._list.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for place, adapter in enumerate(self.adapters):
            self._list.addWidget(self._entry(place, adapter))
        if not self.adapters:
            self._list.addWidget(label("It has none yet.", tone="muted"))

    def _entry(self, place: int, adapter: dict[str, Any]) -> QWidget:
        name = words.file_name(Path(adapter["path"]).stem)
        value = number(self._theme, f"{adapter['scale']:.2f}")
        value.setFixedWidth(40)
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, _MOST)
        slider.setValue(round(adapter["scale"] * _STEPS))
        slider.setAccessibleName(f"Scale of {name}")
        slider.valueChanged.connect(lambda at: value.setText(f"{at / _STEPS:.2f}"))
        slider.valueChanged.connect(lambda at: adapter.update(scale=at / _STEPS))
        slider.valueChanged.connect(lambda _at: self._later.start())
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        head = QHBoxLayout()
        head.addWidget(ElidedLabel(name), 1)
        head.addWidget(IconButton(self._theme, "x", f"Remove {name}", partial(self._remove, place), size=14))
        foot = QHBoxLayout()
        foot.addWidget(slider, 1)
        foot.addWidget(value)
        column.addLayout(head)
        column.addLayout(foot)
        return holder

    def _tell(self) -> None:
        self.chosen.emit(self._row, [dict(adapter) for adapter in self.adapters])

    def _remove(self, place: int) -> None:
        del self.adapters[place]
        self._fill()
        self._tell()

    def _pick(self) -> None:
        dialog = QFileDialog(self, "Add an adapter", "", "LoRA adapters (*.gguf)")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.add)
        dialog.open()

    def add(self, path: str) -> None:
        """Add a file at full strength."""
        self.adapters.append({"path": path, "scale": 1.0})
        self._fill()
        self._tell()

    def say_error(self, error: DesktopRagError) -> None:
        """What is wrong with an adapter; it is taken out again."""
        self.notice.say_error(error)
