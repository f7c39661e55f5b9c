"""The Privacy page: two examinations that anybody can run, and keep the outcome of."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QScrollArea, QVBoxLayout, QWidget

from desktop_rag.evaluation import selftest_page
from desktop_rag.evaluation.selftest_corpus import category_name
from desktop_rag.evaluation.selftest_score import WEAK
from desktop_rag.gui.backend import Backend
from desktop_rag.gui.pieces.bars import number
from desktop_rag.gui.pieces.labels import label, set_kind
from desktop_rag.gui.privacy.examination import Examination
from desktop_rag.gui.privacy.panel import ExaminationPanel
from desktop_rag.gui.tasks import Tasks
from desktop_rag.gui.theme import Theme
from desktop_rag.privacy import audit
from desktop_rag.privacy.audit_page import audit_page

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
    """The leak audit and the self-test."""

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
        self._build()

    def _build(self) -> None:
        canvas = QWidget()
        canvas.setMaximumWidth(860)
        column = QVBoxLayout(canvas)
        column.setContentsMargins(24, 16, 24, 24)
        column.setSpacing(12)
        column.addWidget(label("Privacy", "title"))
        column.addWidget(self.audit)
        column.addWidget(self.selftest)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(canvas)
        scroll.setWidgetResizable(True)
        scroll.setAccessibleName("Privacy")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)

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
        column.addSpacing(6)
        _lines(column, selftest_page.policy_lines(result))


def _lines(column: QVBoxLayout, lines: list[str]) -> None:
    for line in lines[:_MOST_LINES]:
        column.addWidget(label(line, tone="bad" if line.startswith("!") else "muted", wrap=True))
    if len(lines) > _MOST_LINES:
        column.addWidget(label(f"… and {len(lines) - _MOST_LINES} more: save the page to see all.", tone="muted"))
