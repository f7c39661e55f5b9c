"""The document's text with what was found in it: replaced, kept, doubtful, and the one looked at.

Text can be selected with the mouse or, once the panel has the keyboard, with Shift and the arrows.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QTextBlockFormat, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QTextEdit, QWidget

from desktop_rag.gui.pieces.inert import InertEdit
from desktop_rag.gui.review.decisions import Decisions, Span
from desktop_rag.gui.theme import Theme

_LINE = QTextCharFormat.UnderlineStyle


class TextPanel(InertEdit):
    """`picked(span)` when a marked value is clicked, or reached with the caret and Enter pressed.

    `mask_wanted()` when M is pressed over a selection; `selected(bool)` tells whether there is one.
    """

    picked = Signal(object)
    mask_wanted = Signal()
    selected = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._decisions: Decisions | None = None
        self._current: Span | None = None
        self._units: list[tuple[int, int, Span]] = []
        self.setReadOnly(True)
        flags = Qt.TextInteractionFlag
        self.setTextInteractionFlags(flags.TextSelectableByMouse | flags.TextSelectableByKeyboard)
        self.setAccessibleName("Text of the document with private values marked")
        self.setAccessibleDescription("Select with Shift and the arrows, press M to mask what is selected.")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setTabChangesFocus(True)
        self.copyAvailable.connect(self.selected)
        self.document().setDocumentMargin(20)
        theme.changed.connect(self.refresh)

    def show_document(self, decisions: Decisions) -> None:
        """Show another document from its beginning."""
        self._decisions, self._current = decisions, None
        self.setPlainText("")
        cursor = self.textCursor()
        block = QTextBlockFormat()
        block.setLineHeight(150, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        cursor.setBlockFormat(block)
        form = QTextCharFormat()
        form.setFont(self._theme.font("reading"))
        cursor.insertText(decisions.text, form)
        cursor.setPosition(0)
        self.setTextCursor(cursor)
        self.show_spans()
        self.verticalScrollBar().setValue(0)

    def show_spans(self) -> None:
        """The same document, with other values found in it."""
        if self._decisions is not None:
            self._units = _units(self._decisions)
            self.refresh()

    def selection(self) -> tuple[int, int]:
        """What is selected, in code points of the document's text; (0, 0) for nothing."""
        cursor = self.textCursor()
        if self._decisions is None or not cursor.hasSelection():
            return 0, 0
        text = self._decisions.text
        return _code_points(text, cursor.selectionStart()), _code_points(text, cursor.selectionEnd())

    def clear_selection(self) -> None:
        """Select nothing."""
        cursor = self.textCursor()
        cursor.clearSelection()
        self.setTextCursor(cursor)

    def look_at(self, span: Span | None) -> None:
        """Bring one value into view and mark it as the one looked at."""
        self._current = span
        self.refresh()
        for start, _end, other in self._units:
            if other is span:
                cursor = QTextCursor(self.document())
                cursor.setPosition(start)
                bar = self.verticalScrollBar()
                place = self.cursorRect(cursor)
                if place.top() < 40 or place.bottom() > self.viewport().height() - 60:
                    bar.setValue(bar.value() + place.top() - self.viewport().height() // 3)

    def refresh(self) -> None:
        """Mark every value as it is decided now."""
        forms = {state: self._format(*state) for state in ((r, d, c) for r in (0, 1) for d in (0, 1) for c in (0, 1))}
        marks = []
        for start, end, span in self._units:
            mark = QTextEdit.ExtraSelection()
            cursor = QTextCursor(self.document())
            cursor.setPosition(start)
            cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            mark.cursor = cursor
            mark.format = forms[(int(span.replace), int(span.doubtful), int(span is self._current))]
            marks.append(mark)
        self.setExtraSelections(marks)

    def _format(self, replace: int, doubtful: int, current: int) -> QTextCharFormat:
        kit = self._theme.tokens
        form = QTextCharFormat()
        form.setUnderlineStyle(_LINE.DashUnderline if doubtful else _LINE.DotLine)
        form.setUnderlineColor(QColor(kit["private"] if replace or doubtful else kit["muted"]))
        form.setForeground(QColor(kit["private"] if replace else kit["text"]))
        if replace:
            form.setBackground(QColor(kit.tint("private", 0.14)))
            if not doubtful:
                form.setUnderlineStyle(_LINE.NoUnderline)
        if current:
            form.setBackground(QColor(kit["highlight"]))
            form.setForeground(QColor(kit["text"]))
        return form

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click opens or picks."""
        super().mouseReleaseEvent(event)
        if not self.textCursor().hasSelection():
            self._pick(self.cursorForPosition(event.position().toPoint()).position())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Handle the keys that are special here."""
        if event.key() == Qt.Key.Key_M and self.textCursor().hasSelection():
            self.mask_wanted.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self._pick(self.textCursor().position())
        else:
            super().keyPressEvent(event)

    def _pick(self, position: int) -> None:
        for start, end, span in self._units:
            if start <= position <= end:
                self.picked.emit(span)
                return


def _units(decisions: Decisions) -> list[tuple[int, int, Span]]:
    """The spans in Qt's own counting (UTF-16 units), counted in one pass."""
    result, units, last = [], 0, 0
    for span in sorted(decisions.spans, key=lambda item: item.start):
        units += _length(decisions.text[last : span.start])
        width = _length(decisions.text[span.start : span.end])
        result.append((units, units + width, span))
        last = span.start
    return result


def _code_points(text: str, units: int) -> int:
    """Qt's place in a text, in code points."""
    return len(text.encode("utf-16-le", "surrogatepass")[: 2 * units].decode("utf-16-le", "surrogatepass"))


def _length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
