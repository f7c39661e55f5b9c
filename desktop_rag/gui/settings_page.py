"""The Settings page: rows made from the declarations in `desktop_rag.settings`, and where the data lies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QSlider, QVBoxLayout, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.pieces.controls import Choice, Tick
from desktop_rag.gui.pieces.labels import label, line, set_kind
from desktop_rag.gui.theme import Theme
from desktop_rag.settings import SETTINGS, Setting, Settings

_KEYS = {
    "keyring": "The key lies in the operating system's keyring.",
    "passphrase": "The key is made from your passphrase file.",
    "file": "Protected by file permissions only: this system has no keyring, so the key lies in a private file.",
}


class SettingsPage(QWidget):
    """`changed(name, value)` after a setting was stored."""

    changed = Signal(str, object)

    def __init__(self, theme: Theme, settings: Settings, data_dir: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_kind(self, "page")
        self._theme, self._settings = theme, settings
        self.controls: dict[str, QWidget] = {}
        self._key = label("Asking the library…", tone="muted", wrap=True)
        self._index = label("", tone="muted", wrap=True)
        canvas = QWidget()
        canvas.setMaximumWidth(760)
        column = QVBoxLayout(canvas)
        column.setContentsMargins(24, 16, 24, 24)
        column.setSpacing(12)
        column.addWidget(label("Settings", "title"))
        column.addSpacing(4)
        for setting in SETTINGS:
            column.addLayout(self._row(setting))
            column.addWidget(line())
        column.addLayout(_fact("Your data", str(data_dir)))
        column.addWidget(line())
        column.addLayout(_fact("Protection", "", self._key))
        column.addWidget(line())
        column.addLayout(_fact("Index", "", self._index))
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(canvas)
        scroll.setWidgetResizable(True)
        scroll.setAccessibleName("Settings")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)

    def show_doctor(self, report: dict[str, Any]) -> None:
        """Show what `doctor` says about the key and the index."""
        key = str(report.get("key") or "")
        self._key.setText(_KEYS.get(key, "Unknown"))
        index = report.get("index") or {}
        parity = index.get("parity")
        state = "" if parity is None else ("text, words and vectors agree" if parity else "vectors are being rebuilt")
        parts = [
            words.plural(int(index.get("documents") or 0), "document"),
            words.plural(int(index.get("chunks") or 0), "passage"),
            state,
        ]
        self._index.setText(" · ".join(part for part in parts if part))

    # -- rows ----------------------------------------------------------------------------------

    def _row(self, setting: Setting) -> QHBoxLayout:
        text = QVBoxLayout()
        text.setSpacing(2)
        text.addWidget(label(setting.label, "heading"))
        text.addWidget(label(setting.help, "small", "muted", wrap=True))
        control, field = self._control(setting)
        field.setAccessibleName(setting.label)
        field.setAccessibleDescription(setting.help)
        self.controls[setting.name] = field
        row = QHBoxLayout()
        row.setSpacing(24)
        row.addLayout(text, 1)
        row.addWidget(control, 0, Qt.AlignmentFlag.AlignVCenter)
        return row

    def _control(self, setting: Setting) -> tuple[QWidget, QWidget]:
        value = self._settings[setting.name]
        if setting.choices:
            combo = Choice(self._theme)
            combo.addItems([_choice_name(setting.name, choice) for choice in setting.choices])
            combo.setCurrentIndex(setting.choices.index(value))
            combo.setMinimumWidth(180)
            combo.activated.connect(lambda place: self._store(setting, setting.choices[place]))
            return combo, combo
        if isinstance(setting.default, bool):
            box = Tick(self._theme, "On")
            box.setChecked(bool(value))
            box.toggled.connect(lambda on: self._store(setting, on))
            return box, box
        return self._number(setting, int(value))

    def _number(self, setting: Setting, value: int) -> tuple[QWidget, QWidget]:
        low, high = int(setting.low or 0), int(setting.high or 100)
        step = max(1, (high - low) // 63)
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, (high - low) // step)
        slider.setValue((value - low) // step)
        slider.setFixedWidth(140)
        number = label(words.count(value))
        number.setFont(self._theme.font("body", mono=True))
        number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        number.setFixedWidth(48)
        slider.valueChanged.connect(lambda place: number.setText(words.count(low + place * step)))
        slider.valueChanged.connect(lambda place: self._store(setting, low + place * step))
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(slider)
        row.addWidget(number)
        return holder, slider

    def _store(self, setting: Setting, value: object) -> None:
        if self._settings.set(setting.name, value):
            self.changed.emit(setting.name, value)


def _choice_name(setting: str, choice: str) -> str:
    if setting == "policy":
        return words.policy_name(choice)
    return {"system": "As the system", "contrast": "High contrast"}.get(choice, choice.capitalize())


def _fact(title: str, text: str, widget: QWidget | None = None) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(2)
    column.addWidget(label(title, "heading"))
    value = widget or label(text, tone="muted", wrap=True)
    column.addWidget(value)
    return column
