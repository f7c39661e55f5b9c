"""What the rows and ends of the review sheet show: stand-ins, values among their words, and nothing cut off."""

from __future__ import annotations

from typing import Any, ClassVar

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QImage, QPainter

from desktop_rag.gui.main_window import MainWindow
from desktop_rag.gui.pieces.labels import ElidedLabel
from desktop_rag.gui.review.context_line import paint_context
from desktop_rag.gui.review.sheet import MANY
from desktop_rag.gui.theme import Theme
from desktop_rag.privacy.scrub import POLICIES
from tests.gui.conftest import Open
from tests.gui.script import PDF
from tests.gui.test_window_looks import SMALLEST


def is_cut(part: ElidedLabel) -> bool:
    return part.fontMetrics().horizontalAdvance(part.text()) > part.contentsRect().width()


def test_rows_show_other_stand_ins_under_another_policy(open_review: Open) -> None:
    sheet = open_review(PDF)
    row = sheet.values.model().index(1, 0)
    assert "will stand for it" not in row.data(Qt.ItemDataRole.ToolTipRole)
    before = sheet.values.grab().toImage()
    sheet.head.policy_chosen.emit("substitute")
    assert row.data(Qt.ItemDataRole.ToolTipRole).startswith("A name like it will stand for it.")
    assert sheet.values.grab().toImage() != before, "the list shows it at once"


def test_the_smallest_window_hides_no_words_of_the_sheet(open_review: Open, window: MainWindow) -> None:
    sheet = open_review(*(f"{number}.pdf" for number in range(MANY)), first="1.pdf")
    window.resize(*SMALLEST)
    for policy in POLICIES:
        sheet.head.policy_chosen.emit(policy)
        window.grab()
        cut = [
            part.text() for end in (sheet.head, sheet.foot) for part in end.findChildren(ElidedLabel) if is_cut(part)
        ]
        assert cut == []


def test_a_value_is_seen_among_its_words_however_narrow_the_line(open_review: Open, theme: Theme) -> None:
    sheet = open_review(PDF)
    assert sheet.present is not None
    span = next(each for each in sheet.present.spans if each.text == "Daniel Hughes")
    span.before, span.after = "words before it " * 4, " words after it" * 4

    class Recorder(QPainter):
        said: ClassVar[list[str]] = []

        def drawText(self, *told: Any) -> None:  # noqa: N802
            self.said.append(told[-1])

    ground = QImage(220, 20, QImage.Format.Format_RGB32)
    painter = Recorder(ground)
    paint_context(painter, QRect(0, 0, 220, 20), theme, span)
    painter.end()
    before, value, after = Recorder.said
    assert value == "Daniel Hughes"
    assert before.startswith("…")
    assert after.endswith("…")
