"""The card of one model: what it is, whether it fits and how fast, one action, and a menu for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QSizePolicy, QVBoxLayout, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.models import facts
from desktop_rag.gui.models.fit_bar import FitBar
from desktop_rag.gui.models.jobs import Job
from desktop_rag.gui.models.permission import Permission
from desktop_rag.gui.models.work_line import WorkLine
from desktop_rag.gui.pieces.buttons import IconButton, TextButton
from desktop_rag.gui.pieces.chip import chip
from desktop_rag.gui.pieces.labels import ElidedLabel, IconLabel, label, set_tone
from desktop_rag.gui.theme import Theme

INSTALLED, OFFERED, FOUND = "installed", "offered", "found"
_ICONS = {"chat": "message-square", "encoder": "search", "reranker": "list-checks", "pii": "shield-check"}
_PROBLEMS = {
    "gone": "Its file is no longer where it was.",
    "changed": "Its file is not whole any more. Delete it and get it again.",
}
_PRIMARY = {INSTALLED: ("Use", "use"), OFFERED: ("Download", "download"), FOUND: ("Add", "add")}


class ModelCard(QFrame):
    """`wanted(action, row)`: "use", "download", "allowed", "add", "details", "stop", "remove", or one of its menu's."""

    wanted = Signal(str, object)

    def __init__(self, theme: Theme, row: dict[str, Any], place: str, *, active: bool = False) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self._theme, self.row, self.place, self._active = theme, row, place, active
        self.bar = FitBar(theme)
        self._fit_icon = IconLabel(theme, "clock", "muted", 14)
        self.fit_words = label("", "small", "muted", wrap=True)
        self.plan = ElidedLabel("", "small", "muted")
        self.permission = Permission(theme)
        self.work = WorkLine(
            theme,
            lambda: self.wanted.emit("stop", self.row),
            go_on=self.ask_download,
            remove=lambda: self.wanted.emit("remove", self.row),
        )
        self.permission.left.connect(lambda: self.show_job(self.work.job))
        self._more = IconButton(theme, "ellipsis", f"More for {facts.title(row)}")
        title, action = _PRIMARY[place]
        self.primary = TextButton(
            theme, title, lambda: self.wanted.emit(action, self.row), icon="download" if place == OFFERED else ""
        )
        self.details = TextButton(theme, "Details", lambda: self.wanted.emit("details", self.row), kind="quiet")
        self._runs = row.get("kind", "chat") == "chat"
        self._build()
        self._refresh()

    # -- building ------------------------------------------------------------------------------

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 12, 10)
        column.setSpacing(6)
        column.addLayout(self._head())
        column.addWidget(label(facts.summary(self.row), "small", "muted", wrap=True))
        if self._runs:
            column.addSpacing(2)
            column.addWidget(self.bar)
            column.addLayout(self._fit_row())
            column.addWidget(self.plan)
        elif does := facts.DOES.get(str(self.row.get("kind"))):
            column.addWidget(label(f"{does} {facts.tongues(self.row)}".strip(), "small", "muted", wrap=True))
        column.addWidget(self.permission)
        column.addWidget(self.work)
        column.addStretch(1)
        column.addLayout(self._foot())
        self.plan.hide()
        self.work.hide()

    def _head(self) -> QHBoxLayout:
        installed = self.place == INSTALLED
        head = QHBoxLayout()
        head.setSpacing(8)
        icon = _ICONS.get(str(self.row.get("kind") or "chat"), "cpu")
        head.addWidget(IconLabel(self._theme, icon, "accent" if installed else "muted", 20))
        head.addWidget(ElidedLabel(facts.title(self.row), "heading"), 1)
        if self._active:
            head.addWidget(IconLabel(self._theme, "circle-check", "accent", 14))
            head.addWidget(label("Answers now", "small", "accent"))
        elif self.place == FOUND:
            head.addWidget(label(str(self.row.get("application") or self.row.get("source") or ""), "small", "muted"))
        return head

    def _fit_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self._fit_icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.fit_words, 1)
        return row

    def _foot(self) -> QHBoxLayout:
        foot = QHBoxLayout()
        foot.setSpacing(4)
        for name in self.row.get("engines") or ():
            foot.addWidget(chip(str(name), tip=f"Runs with {name}"))
        foot.addStretch(1)
        foot.addWidget(self.details)
        foot.addWidget(self.primary)
        foot.addWidget(self._more)
        menu = self._menu()
        self._more.setMenu(menu)
        self._more.setPopupMode(self._more.ToolButtonPopupMode.InstantPopup)
        self._more.setVisible(not menu.isEmpty())
        return foot

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        if self.place != INSTALLED:
            return menu
        if self._runs:
            self._fill_menu(menu)
        if self.row.get("source") != "starter":
            menu.addSeparator()
            self._entry(menu, "Delete…", "delete")
        return menu

    def _fill_menu(self, menu: QMenu) -> None:
        """What can be done with a model that writes answers."""
        engines, format_ = list(self.row.get("engines") or ()), str(self.row.get("format") or "")
        for engine in engines:
            if len(engines) > 1:
                self._entry(menu, f"Use with {engine}", f"use:{engine}")
        if len(engines) > 1:
            menu.addSeparator()
        if format_ in ("gguf", "hf"):
            self._entry(menu, "Convert for CTranslate2 (8 bits)", "convert:ct2:int8")
            self._entry(menu, "Convert for CTranslate2 (32 bits)", "convert:ct2:float32")
        if format_ == "gguf":
            self._entry(menu, "Make a folder for Transformers", "convert:hf:")
            self._entry(menu, "Make a GPT4All copy", "convert:gpt4all:")
            inner = menu.addMenu("Quantise to…")
            for name in facts.QUANTISATIONS:
                self._entry(inner, name, f"quantise:{name}")
            self._entry(menu, "Adapters…", "adapters")

    def _entry(self, menu: QMenu, text: str, action: str) -> None:
        menu.addAction(text).triggered.connect(lambda: self.wanted.emit(action, self.row))

    # -- content -------------------------------------------------------------------------------

    def show_fit(self, fit: Mapping[str, Any] | None) -> None:
        """What was worked out about memory and speed; None while it is under way."""
        if self.row.get("missing"):
            fit = {"error": _PROBLEMS.get(str(self.row.get("problem")), _PROBLEMS["gone"])}
        sentence, role, icon = facts.fit_words(fit)
        self.bar.show_fit(fit)
        self._fit_icon.show_icon(icon, role)
        self.fit_words.setText(sentence)
        set_tone(self.fit_words, role if role == "bad" else "muted")
        plan = str((fit or {}).get("plan") or "")
        self.plan.setText(plan)
        self.plan.setVisible(bool(plan))

    def show_job(self, job: Job | None) -> None:
        """Its work; while something runs there is nothing else to press."""
        self.work.show_job(job)
        if job is not None:
            self.permission.hide()
        self._show_primary()

    def ask_download(self) -> None:
        """The question before the network is opened for this model."""
        size = self.work.still_to_come() or words.size(self.row.get("size"))
        self.primary.hide()
        self.work.hide()
        self.permission.ask(
            "Opens the network for this download only.",
            f"{size or 'The file'} from huggingface.co. Nothing but the address of the file is sent; it is checked "
            "before it is used.",
            "Open and download",
            lambda: self.wanted.emit("allowed", self.row),
        )

    def _usable(self) -> bool:
        if self.place == OFFERED:
            return bool(self.row.get("downloadable", True))
        return self.place == FOUND or (not self._active and not self.row.get("missing"))

    def _show_primary(self) -> None:
        """One thing to press at a time: while there is work or a question, that has the buttons."""
        free = self.work.isHidden() and self.permission.isHidden()
        self.primary.setVisible((self._runs or self.place != INSTALLED) and not self._active and free)
        self.primary.setEnabled(self._usable())

    def _refresh(self) -> None:
        self._show_primary()
        self.details.setVisible(bool(self.row.get("path")) and self._runs and not self.row.get("missing"))
        state = {INSTALLED: "on this computer", OFFERED: "not installed", FOUND: "in another application"}[self.place]
        self.setAccessibleName(f"{facts.title(self.row)}, {'answers now' if self._active else state}")
        self.show_fit(None)


def spare() -> QWidget:
    """Fills the second column, so that a single card has the width of every other."""
    widget = QWidget()
    widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return widget
