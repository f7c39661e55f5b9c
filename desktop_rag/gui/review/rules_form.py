"""What is replaced in one collection, or in all: terms always or never, and what happens to each class."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QListView, QVBoxLayout, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.controls import Choice
from desktop_rag.gui.pieces.labels import label
from desktop_rag.gui.pieces.notice import Notice
from desktop_rag.gui.pieces.tabs import Tabs
from desktop_rag.gui.review.class_list import ClassList
from desktop_rag.gui.review.mask_menu import CLASSES
from desktop_rag.gui.tasks import Tasks
from desktop_rag.gui.theme import Theme
from desktop_rag.privacy.classes import LEAVE, REPLACE
from desktop_rag.privacy.marks import OWN_TERM
from desktop_rag.privacy.rules import ALWAYS, NEVER

_RULE = int(Qt.ItemDataRole.UserRole) + 1
_WIDTH, _HEIGHT = 640, 560
_ABOUT = (
    "What is always replaced is taken out of all documents, those that are indexed already among them. All else holds "
    "for documents that are read from now on, for those under review, and for questions."
)
_KINDS = ((ALWAYS, "Always replaced"), (NEVER, "Never replaced"))


class RulesForm(QDialog):
    """Every change is stored at once. Without a collection it is about all of them."""

    def __init__(self, theme: Theme, backend: Backend, tasks: Tasks, parent: QWidget, collection: str | None) -> None:
        super().__init__(parent)
        self._theme, self._backend, self._tasks, self._collection = theme, backend, tasks, collection
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("What is replaced")
        self.resize(_WIDTH, _HEIGHT)
        self.term = QLineEdit()
        self.term.setPlaceholderText("A name, a number, a project…")
        self.term.setAccessibleName("Term")
        self.kind = Choice(theme)
        self.kind.setAccessibleName("What happens to it")
        self.label = Choice(theme)
        self.label.setAccessibleName("Its class")
        self.rules = _RulesView(self._forget_chosen)
        self._rows = QStandardItemModel(self)
        self.rules.setModel(self._rows)
        self.classes = ClassList(theme)
        self.classes.chosen.connect(self._treat)
        self.tabs = Tabs(theme, ("Terms", "Classes"))
        self.notice = Notice(theme)
        self._add = TextButton(theme, "Add", self.add, kind="primary")
        self._forget = TextButton(theme, "Forget", self._forget_chosen, kind="quiet", icon="trash-2")
        self._build()
        self.kind.currentIndexChanged.connect(self._refresh)
        self.term.textChanged.connect(self._refresh)
        self.rules.selectionModel().selectionChanged.connect(self._refresh)
        self._refresh()
        self._load()

    def _build(self) -> None:
        for kind, name in _KINDS:
            self.kind.addItem(name, kind)
        for each in (OWN_TERM, *(known for known in CLASSES if known != OWN_TERM)):
            self.label.addItem(self._theme.icon(words.label_icon(each)), words.label_name(each), each)
        where = f"in “{self._collection}”" if self._collection else "in all collections"
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(10)
        column.addWidget(label(f"What is replaced {where}", "title", wrap=True))
        column.addWidget(label(_ABOUT, "small", "muted", wrap=True))
        pages = QWidget()
        self.tabs.setContentsMargins(0, 0, 0, 6)
        self.tabs.stack.addWidget(self._terms())
        self.tabs.stack.addWidget(self.classes)
        self.tabs.fill(pages)
        self.tabs.group.idClicked.connect(self.tabs.show)
        self.tabs.show(0)
        column.addWidget(pages, 1)
        column.addWidget(self.notice)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(TextButton(self._theme, "Close", self.accept))
        column.addLayout(row)
        self._add.setDefault(True)
        # Else a tab is the first to have the keyboard, and what the return key presses.
        self.term.setFocus()

    def _terms(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 12, 0, 0)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.term, 1)
        for part in (self.kind, self.label, self._add):
            row.addWidget(part)
        column.addLayout(row)
        about = "Whatever their case and accents, as whole words only. They stay when documents are removed."
        column.addWidget(label(about, "small", "muted", wrap=True))
        column.addWidget(self.rules, 1)
        column.addWidget(self._forget, 0, Qt.AlignmentFlag.AlignLeft)
        return page

    def _treat(self, row: dict[str, Any], treatment: str, threshold: float | None) -> None:
        """Store it; what is usually replaced stays readable only after a word more."""
        told = {"label": row["label"], "treatment": treatment, "threshold": threshold, "collection": self._collection}
        if row["default"] == LEAVE or (treatment, threshold) == (REPLACE, None):
            self._change("rule_class", **told)
            return
        less = "" if threshold is None else f" of which the search is less than {threshold:.0%} sure"
        self.notice.say(
            f"“{row['name']}”: what is found{less} will be readable, in the index, in answers, and for the model.",
            "What you decide in a review, and terms always replaced, come first.",
            action="Leave it readable" if threshold is None else "Replace the sure ones",
            on_action=lambda: self._change("rule_class", **told),
        )

    def add(self) -> None:
        """Remember the term that was typed."""
        kind, term = self.kind.currentData(), self.term.text().strip()
        told: dict[str, Any] = {"kind": kind, "term": term, "collection": self._collection}
        if kind == ALWAYS:
            told["label"] = self.label.currentData()
        self._change("rule_add", **told)

    def _forget_chosen(self) -> None:
        index = self.rules.currentIndex()
        if index.isValid() and index.flags() & Qt.ItemFlag.ItemIsEnabled:
            self._change("rule_forget", id=index.data(_RULE))

    def _change(self, op: str, **args: Any) -> None:
        self.notice.hide()
        self._tasks.call(
            lambda: self._backend.library.call(op, **args),
            lambda _answer: self._changed(op),
            failed=self.notice.say_error,
        )

    def _changed(self, op: str) -> None:
        if op == "rule_add":
            self.term.clear()
            self.term.setFocus()
        self._load()

    def _load(self) -> None:
        self._tasks.call(
            lambda: self._backend.library.call("rules", collection=self._collection),
            self._show,
            failed=self.notice.say_error,
        )

    def _show(self, answer: Event) -> None:
        self.classes.show_classes(answer.get("classes") or ())
        changed = self.classes.changed
        self.tabs.buttons[1].say(f"Classes · {changed} changed" if changed else "Classes")
        self._rows.clear()
        for rule in answer.get("rules") or ():
            general = rule.get("collection") is None
            if self._collection is None and not general:
                continue
            item = QStandardItem(_line(rule, told=self._collection is not None and general))
            item.setData(rule["id"], _RULE)
            icon = self._theme.icon("lock", "private") if rule["kind"] == ALWAYS else self._theme.icon("eye", "muted")
            item.setIcon(icon)
            # Those for all collections are changed where they belong.
            item.setEnabled(self._collection is None or not general)
            self._rows.appendRow(item)
        if not self._rows.rowCount():
            empty = QStandardItem("None yet. In a review, the keys A and N make one of the value you look at.")
            empty.setEnabled(False)
            self._rows.appendRow(empty)
        self._refresh()

    def _refresh(self) -> None:
        self.label.setEnabled(self.kind.currentData() == ALWAYS)
        self._add.setEnabled(bool(self.term.text().strip()))
        index = self.rules.currentIndex()
        self._forget.setEnabled(index.isValid() and index.data(_RULE) is not None)


class _RulesView(QListView):
    def __init__(self, forget: Any) -> None:
        super().__init__()
        self._forget = forget
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setAccessibleName("Terms")
        self.setSpacing(2)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete forgets."""
        if event.key() == Qt.Key.Key_Delete:
            self._forget()
        else:
            super().keyPressEvent(event)


def _line(rule: dict[str, Any], *, told: bool) -> str:
    always = f"always replaced, {words.label_name(rule['label'])}" if rule["kind"] == ALWAYS else "never replaced"
    return f"{rule['term']}   {always}{' (all collections)' if told else ''}"
