"""The head of the review sheet: which document, what happens to its private values, and the way to the others."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.pieces.buttons import IconButton, TextButton
from desktop_rag.gui.pieces.controls import Choice
from desktop_rag.gui.pieces.labels import ElidedLabel, IconLabel, label
from desktop_rag.gui.theme import Theme
from desktop_rag.privacy.scrub import POLICIES

_MIXED = "Different policies"
# What each does, in as many words as there is room for; the whole is the choice's tooltip.
_GIST = {
    "substitute": "Values become others like them",
    "pseudonymise": "Values become Person 1, 2, 3…",
    "mask": "Values become their type",
    "remove": "Values are left out",
    "keep": "Nothing is replaced",
}


class ReviewHead(QWidget):
    """`turned(-1 or 1)`, `all_wanted()`, `rules_wanted()`, `left()`; `policy_chosen(policy)` by the user."""

    turned = Signal(int)
    all_wanted = Signal()
    rules_wanted = Signal()
    left = Signal()
    policy_chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = ElidedLabel("", "heading")
        self._about = ElidedLabel("", "small", "muted")
        self._which = label("", "small", "muted")
        self.policy = Choice(theme)
        self.policy.setAccessibleName("What happens to the private values")
        self._before = IconButton(
            theme, "chevron-left", "Previous document (Ctrl+Page Up)", lambda: self.turned.emit(-1)
        )
        self._after = IconButton(theme, "chevron-right", "Next document (Ctrl+Page Down)", lambda: self.turned.emit(1))
        self._all = TextButton(theme, "All documents", self.all_wanted.emit, kind="quiet", icon="layers")
        self._all.setToolTip("All values of all documents (O)")
        rules = IconButton(theme, "sliders-horizontal", "What is replaced…", self.rules_wanted.emit)
        titles = QVBoxLayout()
        titles.setSpacing(0)
        titles.addWidget(self._name)
        titles.addWidget(self._about)
        row = QHBoxLayout(self)
        row.setContentsMargins(20, 12, 12, 10)
        row.setSpacing(8)
        row.addWidget(IconLabel(theme, "list-checks", "private", 20))
        row.addLayout(titles, 1)
        close = IconButton(theme, "x", "Decide later (Esc)", self.left.emit)
        for part in (self._all, self._which, self._before, self._after, self.policy, rules, close):
            row.addWidget(part)
        self.policy.activated.connect(self._chosen)

    def show_document(self, name: str, policy: str, number: int, total: int) -> None:
        """One of several documents; `number` counts from 0."""
        self._name.setText(name)
        self._which.setText(f"{number + 1} of {total}")
        self._before.setEnabled(number > 0)
        self._after.setEnabled(number < total - 1)
        for part in (self._all, self._which, self._before, self._after):
            part.setVisible(total > 1)
        self.show_policies({policy})

    def show_all(self, title: str, policies: AbstractSet[str]) -> None:
        """All documents together."""
        self._name.setText(title)
        for part in (self._all, self._which, self._before, self._after):
            part.hide()
        self.show_policies(policies)

    def show_policies(self, policies: AbstractSet[str]) -> None:
        """What is chosen now, and what it does."""
        self.policy.clear()
        for policy in POLICIES:
            self.policy.addItem(words.policy_name(policy), policy)
        if len(policies) > 1:
            self.policy.insertItem(0, _MIXED, "")
        (one,) = policies if len(policies) == 1 else ("",)
        self.policy.setCurrentIndex(max(0, self.policy.findData(one)))
        self.policy.setToolTip(words.policy_text(one) if one else "")
        self._about.setText(_GIST[one] if one else _MIXED)

    def _chosen(self, _index: int) -> None:
        if self.policy.currentData():
            self.policy_chosen.emit(str(self.policy.currentData()))
