"""The Privacy page: the seal to be proved, two examinations that anybody can run, and where receipts come from."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from desktop_rag.evaluation import selftest_page
from desktop_rag.evaluation.selftest_corpus import category_name
from desktop_rag.evaluation.selftest_score import WEAK
from desktop_rag.gui.backend import Backend
from desktop_rag.gui.pieces.bars import number
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.labels import label, set_kind
from desktop_rag.gui.pieces.panel import Panel
from desktop_rag.gui.pieces.scrolling import scrolling_column
from desktop_rag.gui.privacy.examination import Examination
from desktop_rag.gui.privacy.panel import ExaminationPanel
from desktop_rag.gui.seal.chip import SealChip
from desktop_rag.gui.tasks import Tasks
from desktop_rag.gui.theme import Theme
from desktop_rag.privacy import audit
from desktop_rag.privacy.audit_page import audit_page

_SEAL = (
    "The processes that read your documents work without a network. Let each of them try to connect, below the reach of"
    " this application's own checks."
)
_RECEIPTS = (
    "Removing documents ends with a receipt: what was erased, and that a search found nothing of it any more. Save it"
    " when it is shown: no copy is kept."
)
_KEPT = "Dates, places and organisations are found too; they are replaced only if you say so."
_AUDIT = (
    "Looks for every private value that was replaced in your documents, in every file this application has written"
    " and in the cleaned texts. Nothing is changed, and no value is shown."
)
_SELFTEST = (
    "Plants invented personal data in documents of seven languages: how much of it is found, and does any of it reach"
    " the disk? Your own documents are not touched. It takes about a minute."
)
_HEADS = ("Category", "Planted", "Found", "Precision", "Replaced")
_MOST_LINES = 12


class PrivacyPage(QWidget):
    """The leak audit and the self-test; `seal_wanted(widget)` to see the seal under a widget, `library_wanted()`."""

    seal_wanted = Signal(object)
    library_wanted = Signal()

    def __init__(self, theme: Theme, backend: Backend, tasks: Tasks) -> None:
        super().__init__()
        set_kind(self, "page")
        self._theme = theme
        audited = Examination(tasks, lambda: backend.library.stream("audit", collection=None), self)
        tested = Examination(tasks, lambda: backend.selftest(), self)
        self.audit = ExaminationPanel(
            theme,
            "Leak audit",
            _AUDIT,
            audited,
            lambda: (audit.verdict(audited.result), bool(audited.result["clean"])),
            lambda: audit_page(audited.result, audited.date),
            lambda column: _lines(column, audit.lines(audited.result)[1:]),
        )
        self.selftest = ExaminationPanel(
            theme,
            "Self-test",
            _SELFTEST,
            tested,
            lambda: (selftest_page.disk_verdict(tested.result), bool(tested.result["passed"])),
            lambda: selftest_page.selftest_page(tested.result),
            lambda column: self._show_test(column, tested.result),
        )
        self.seal = SealChip(theme, lambda: self.seal_wanted.emit(self.seal))
        self.prove = TextButton(
            theme, "Prove it…", lambda: self.seal_wanted.emit(self.prove), icon="shield-check", role="accent"
        )
        self.to_library = TextButton(theme, "Open the library", self.library_wanted.emit, icon="library")
        self._build()

    def _build(self) -> None:
        column = scrolling_column(self, "Privacy", width=860)
        head = QHBoxLayout()
        head.addWidget(label("Privacy", "title"))
        head.addStretch(1)
        head.addWidget(self.seal)
        column.addLayout(head)
        column.addWidget(_panel("Seal", _SEAL, self.prove))
        column.addWidget(self.audit)
        column.addWidget(self.selftest)
        column.addWidget(_panel("Receipts", _RECEIPTS, self.to_library))
        column.addStretch(1)

    def _show_test(self, column: QVBoxLayout, result: dict[str, Any]) -> None:
        column.addWidget(label(selftest_page.found_words(result), wrap=True))
        grid = QGridLayout()
        grid.setHorizontalSpacing(20)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(0, 1)
        for place, head in enumerate(_HEADS):
            end = Qt.AlignmentFlag.AlignRight if place else Qt.AlignmentFlag.AlignLeft
            grid.addWidget(label(head, "small", "muted"), 0, place, end)
        rows = sorted(result["categories"].items(), key=lambda item: (item[1]["recall"], category_name(item[0])))
        for line, (name, row) in enumerate(rows, start=1):
            weak = row["recall"] < WEAK
            grid.addWidget(label(f"{category_name(name)} · weak" if weak else category_name(name)), line, 0)
            cells = [
                str(row["planted"]),
                *(selftest_page.share(row[key]) for key in ("recall", "precision", "replaced")),
            ]
            for place, cell in enumerate(cells, start=1):
                tone = "bad" if weak and place == 2 else ""
                grid.addWidget(number(self._theme, cell, tone), line, place, Qt.AlignmentFlag.AlignRight)
        column.addSpacing(6)
        column.addLayout(grid)
        column.addWidget(label(_KEPT, "small", "muted", wrap=True))
        column.addSpacing(6)
        _lines(column, selftest_page.policy_lines(result))


def _panel(title: str, about: str, button: TextButton) -> Panel:
    panel = Panel(title)
    panel.body.addWidget(label(about, tone="muted", wrap=True))
    panel.body.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
    return panel


def _lines(column: QVBoxLayout, lines: list[str]) -> None:
    for line in lines[:_MOST_LINES]:
        column.addWidget(label(line, tone="bad" if line.startswith("!") else "muted", wrap=True))
    if len(lines) > _MOST_LINES:
        column.addWidget(label(f"… and {len(lines) - _MOST_LINES} more: save the page to see all.", tone="muted"))
