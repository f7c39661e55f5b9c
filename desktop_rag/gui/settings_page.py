"""The Settings page: rows made from the declarations in `desktop_rag.settings`, and where the data lies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.key.section import KeySection
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.controls import Choice, Tick
from desktop_rag.gui.pieces.labels import label, line, set_kind
from desktop_rag.gui.pieces.scrolling import scrolling_column
from desktop_rag.gui.settings_rows import GROUPS, HELPS, control
from desktop_rag.gui.theme import Theme
from desktop_rag.settings import SETTINGS, Setting, Settings


class SettingsPage(QWidget):
    """`changed(name, value)` after a setting was stored; `models_wanted()` from the row of the model.

    `rules_wanted("")` for the terms of all collections.
    """

    changed = Signal(str, object)
    models_wanted = Signal()
    rules_wanted = Signal(str)

    def __init__(self, theme: Theme, settings: Settings, data_dir: Path, key: KeySection) -> None:
        super().__init__()
        set_kind(self, "page")
        self._theme, self._settings, self.key = theme, settings, key
        self.controls: dict[str, QWidget] = {}
        self._index = label("", tone="muted", wrap=True)
        column = scrolling_column(self, "Settings", width=760)
        column.addWidget(label("Settings", "title"))
        for title, settings_ in _grouped():
            column.addSpacing(8)
            column.addWidget(_group(theme, title))
            for setting in settings_:
                column.addLayout(self._row(setting))
                column.addWidget(line())
        column.addSpacing(8)
        column.addWidget(_group(theme, "Data"))
        column.addWidget(key)
        column.addWidget(line())
        for name, value in (("Your data", label(str(data_dir), tone="muted", wrap=True)), ("Index", self._index)):
            column.addLayout(_fact(name, value))
            column.addWidget(line())
        self.terms = TextButton(theme, "What is replaced…", kind="link")
        self.terms.clicked.connect(lambda: self.rules_wanted.emit(""))
        column.addWidget(self.terms, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)

    def show_doctor(self, report: dict[str, Any]) -> None:
        """Show what `doctor` says about the index, and who keeps the key now."""
        self.key.refresh()
        index = report.get("index") or {}
        parity = index.get("parity")
        state = "" if parity is None else ("text, words and vectors agree" if parity else "vectors are being rebuilt")
        parts = [
            words.plural(int(index.get("documents") or 0), "document"),
            words.plural(int(index.get("chunks") or 0), "passage"),
            state,
        ]
        self._index.setText(" · ".join(part for part in parts if part))

    def show_model(self, name: str) -> None:
        """The name of the model that answers."""
        button = self.controls.get("model")
        if isinstance(button, TextButton):
            button.say(name)
            button.setAccessibleName(f"Model: {name}")

    def show_setting(self, name: str) -> None:
        """A value was changed elsewhere in the window."""
        field, setting = self.controls.get(name), next(row for row in SETTINGS if row.name == name)
        if isinstance(field, Choice) and setting.choices:
            field.setCurrentIndex(setting.choices.index(self._settings[name]))

    # -- rows ----------------------------------------------------------------------------------

    def _row(self, setting: Setting) -> QHBoxLayout:
        text = QVBoxLayout()
        text.setSpacing(2)
        text.addWidget(label(setting.label, "heading"))
        text.addWidget(label(HELPS.get(setting.name, setting.help), "small", "muted", wrap=True))
        shown, field = control(
            self._theme,
            setting,
            self._settings[setting.name],
            lambda value: self._store(setting, value),
            self.models_wanted.emit,
        )
        field.setAccessibleName(setting.label)
        field.setAccessibleDescription(setting.help)
        self.controls[setting.name] = field
        row = QHBoxLayout()
        row.setSpacing(24)
        row.addLayout(text, 1)
        row.addWidget(shown, 0, Qt.AlignmentFlag.AlignVCenter)
        return row

    def refresh(self, name: str) -> None:
        """Show a setting that was changed elsewhere."""
        setting = next(each for each in SETTINGS if each.name == name)
        field, value = self.controls[name], self._settings[name]
        if isinstance(field, Choice):
            field.setCurrentIndex(setting.choices.index(value))
        elif isinstance(field, Tick):
            field.setChecked(bool(value))

    def _store(self, setting: Setting, value: object) -> None:
        if value != self._settings[setting.name] and self._settings.set(setting.name, value):
            self.changed.emit(setting.name, value)


def _grouped() -> list[tuple[str, list[Setting]]]:
    """The declared settings by group, in their order; what belongs to none stands first, under General."""
    known = {name for _title, names in GROUPS for name in names}
    groups = []
    for title, names in GROUPS:
        loose = [setting for setting in SETTINGS if setting.name not in known] if title == "General" else []
        groups.append((title, [*(setting for setting in SETTINGS if setting.name in names), *loose]))
    return [(title, rows) for title, rows in groups if rows]


def _group(theme: Theme, title: str) -> QLabel:
    widget = label(title, "small", "muted")
    widget.setFont(theme.font("small", weight=600))
    return widget


def _fact(title: str, value: QLabel) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(2)
    column.addWidget(label(title, "heading"))
    column.addWidget(value)
    return column
