"""The review sheet: text at the left, what was found at the right, one decision at the bottom."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui import words
from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.pieces.buttons import IconButton, TextButton
from desktop_rag.gui.pieces.labels import ElidedLabel, IconLabel, label, line, set_kind
from desktop_rag.gui.pieces.notice import Notice
from desktop_rag.gui.review.decisions import Decisions, Span
from desktop_rag.gui.review.span_tree import SpanTree
from desktop_rag.gui.review.text_panel import TextPanel
from desktop_rag.gui.tasks import Tasks
from desktop_rag.gui.theme import Theme

KEYS = "J K move · Space tick · A always · N never"


class ReviewSheet(QWidget):
    """`accepted(document ids, decisions)`; `left()` when the user decides later."""

    accepted = Signal(list, dict)
    left = Signal()

    def __init__(self, theme: Theme, backend: Backend, tasks: Tasks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_kind(self, "page")
        self._theme, self._backend, self._tasks = theme, backend, tasks
        self._documents: list[dict[str, Any]] = []
        self._place = 0
        self.decisions: dict[str, Decisions] = {}
        self._name = ElidedLabel("", "heading")
        self._which = label("", "small", "muted")
        self._policy = label("", "small", "muted", wrap=True)
        self._before = IconButton(theme, "chevron-left", "Previous document", lambda: self._turn(-1))
        self._after = IconButton(theme, "chevron-right", "Next document", lambda: self._turn(1))
        self.notice = Notice(theme)
        self.text = TextPanel(theme)
        self.tree = SpanTree(theme)
        self._counts = label("", "heading")
        self._note = ElidedLabel("", "small", "muted")
        self.index = TextButton(theme, "Index", self._accept, kind="primary", icon="check")
        self._build()
        self.tree.looked_at.connect(self._look)
        self.tree.decided.connect(self._decided)
        self.text.picked.connect(self.tree.pick)
        QShortcut(QKeySequence("Ctrl+Return"), self, self._accept)

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(20, 12, 12, 10)
        head.setSpacing(8)
        head.addWidget(IconLabel(self._theme, "list-checks", "private", 20))
        titles = QVBoxLayout()
        titles.setSpacing(0)
        titles.addWidget(self._name)
        titles.addWidget(self._policy)
        head.addLayout(titles, 1)
        for part in (
            self._which,
            self._before,
            self._after,
            IconButton(self._theme, "x", "Decide later", self.left.emit),
        ):
            head.addWidget(part)
        split = QSplitter()
        split.setHandleWidth(1)
        split.setChildrenCollapsible(False)
        split.addWidget(self.text)
        split.addWidget(self._side())
        split.setStretchFactor(0, 1)
        split.setSizes([600, 340])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(line())
        column.addWidget(self.notice)
        column.addWidget(split, 1)
        column.addWidget(line())
        column.addLayout(self._foot())

    def _side(self) -> QWidget:
        side = QWidget()
        set_kind(side, "surface")
        side.setMinimumWidth(280)
        column = QVBoxLayout(side)
        column.setContentsMargins(8, 10, 8, 8)
        column.setSpacing(6)
        note = label("Ticked values are replaced before anything is indexed.", "small", "muted", wrap=True)
        note.setContentsMargins(6, 0, 6, 0)
        column.addWidget(note)
        column.addWidget(self.tree, 1)
        keys = label(KEYS, "small", "muted", wrap=True)
        keys.setContentsMargins(6, 0, 6, 0)
        column.addWidget(keys)
        return side

    def _foot(self) -> QHBoxLayout:
        foot = QHBoxLayout()
        foot.setContentsMargins(20, 10, 16, 10)
        foot.setSpacing(10)
        foot.addWidget(self._counts)
        foot.addWidget(self._note, 1)
        foot.addWidget(TextButton(self._theme, "Decide later", self.left.emit, kind="quiet"))
        foot.addWidget(self.index)
        return foot

    # -- documents -----------------------------------------------------------------------------

    def open(self, documents: list[dict[str, Any]], first: str | None = None) -> None:
        """Review these documents, beginning with `first`."""
        self._documents = documents
        self.decisions = {}
        ids = [str(row["id"]) for row in documents]
        self._place = ids.index(first) if first in ids else 0
        self._show()
        self.tree.setFocus()

    def _turn(self, step: int) -> None:
        self._place = max(0, min(self._place + step, len(self._documents) - 1))
        self._show()

    def _show(self) -> None:
        if not self._documents:
            self.left.emit()
            return
        row = self._documents[self._place]
        identifier = str(row["id"])
        many = len(self._documents)
        self._name.setText(str(row.get("name") or ""))
        self._which.setText(f"{self._place + 1} of {many}" if many > 1 else "")
        for button in (self._before, self._after):
            button.setVisible(many > 1)
        self._before.setEnabled(self._place > 0)
        self._after.setEnabled(self._place < many - 1)
        self.index.say(f"Index {words.plural(many, 'document')}")
        self.notice.hide()
        if identifier in self.decisions:
            self._present(self.decisions[identifier])
            return
        self._counts.setText("Looking…")
        self._note.setText("")
        self._tasks.call(
            lambda: self._backend.library.call("review", document=identifier), self._loaded, failed=self._failed
        )

    def _loaded(self, review: Event) -> None:
        decisions = Decisions(review)
        self.decisions[decisions.document] = decisions
        if str(self._documents[self._place]["id"]) == decisions.document:
            self._present(decisions)

    def _failed(self, error: DesktopRagError) -> None:
        self.notice.say_error(error, "Retry", self._show)

    def _present(self, decisions: Decisions) -> None:
        self._policy.setText(
            f"{words.policy_name(decisions.policy)}: {words.policy_text(decisions.policy).split('. ')[0]}."
        )
        self.text.show_document(decisions)
        self.tree.show_document(decisions)
        self._decided()

    @property
    def counts(self) -> str:
        """How much was found, as it stands at the bottom."""
        return self._counts.text()

    # -- deciding ------------------------------------------------------------------------------

    def _present_decisions(self) -> Decisions | None:
        return self.decisions.get(str(self._documents[self._place]["id"])) if self._documents else None

    def _look(self, span: Span | None) -> None:
        self.text.look_at(span)

    def _decided(self) -> None:
        decisions = self._present_decisions()
        if decisions is None:
            return
        doubtful = len(decisions.doubtful)
        self._counts.setText(f"{words.count(decisions.found)} found" + (f" · {doubtful} to check" if doubtful else ""))
        kept = decisions.found - decisions.replaced
        self._note.setText(f"{words.count(decisions.replaced)} replaced · {words.count(kept)} kept as they are")
        self.text.refresh()

    def _accept(self) -> None:
        chosen = {key: value.as_request() for key, value in self.decisions.items() if value.as_request()}
        self.accepted.emit([str(row["id"]) for row in self._documents], chosen)
