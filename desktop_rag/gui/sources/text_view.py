"""The text of a document without a page picture, with the cited range highlighted."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextBlockFormat, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QTextEdit, QWidget

from desktop_rag.gui.pieces.inert import InertEdit
from desktop_rag.gui.private_text import split
from desktop_rag.gui.theme import Theme
from desktop_rag.gui.visible import visible


def utf16(text: str, position: int) -> int:
    """Where a code point offset lies in Qt's own counting (UTF-16 units)."""
    return len(text[:position].encode("utf-16-le", "surrogatepass")) // 2


class TextView(InertEdit):
    """Shows the pages one after another, read-only."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._text = ""
        self._range = (0, 0)
        self._stand_ins: Collection[str] = ()
        self.setReadOnly(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setAccessibleName("Document text")
        self.document().setDocumentMargin(16)
        theme.changed.connect(self._paint)

    def show_pages(
        self,
        pages: list[dict[str, Any]],
        page: int | None,
        locator: str | None,
        start: int,
        end: int,
        stand_ins: Collection[str] = (),
    ) -> bool:
        """Show the pages and highlight `start`..`end` (code points) of one; False if that page is not there.

        `stand_ins`: the words that believably stand for others.
        """
        self._stand_ins = stand_ins
        before, found, texts = 0, False, []
        for item in pages:
            text = visible(str(item.get("text") or ""))
            if not found and item.get("page") == page and (page is not None or item.get("locator") == locator):
                found = True
                self._range = (before + start, before + min(end, len(text)))
            texts.append(text)
            before += len(text) + 2
        if not found:
            self._range = (0, 0)
        self._text = "\n\n".join(texts)
        self._paint()
        return found

    @property
    def highlighted(self) -> str:
        """The text under the highlight."""
        return self._text[self._range[0] : self._range[1]]

    def _paint(self) -> None:
        self.setPlainText("")
        cursor = self.textCursor()
        block = QTextBlockFormat()
        block.setLineHeight(145, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        cursor.setBlockFormat(block)
        ordinary, private = self._formats()
        for piece in split(self._text, self._stand_ins):
            cursor.insertText(piece.text, private if piece.token else ordinary)
        self._highlight()

    def _formats(self) -> tuple[QTextCharFormat, QTextCharFormat]:
        ordinary = QTextCharFormat()
        ordinary.setFont(self._theme.font("body"))
        ordinary.setForeground(self._theme.colour("text"))
        private = QTextCharFormat(ordinary)
        private.setForeground(self._theme.colour("private"))
        private.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
        return ordinary, private

    def _highlight(self) -> None:
        start, end = (utf16(self._text, position) for position in self._range)
        mark = QTextEdit.ExtraSelection()
        cursor = QTextCursor(self.document())
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        mark.cursor = cursor
        form = QTextCharFormat()
        form.setBackground(self._theme.colour("highlight"))
        mark.format = form
        self.setExtraSelections([mark] if end > start else [])
        place = QTextCursor(self.document())
        place.setPosition(start)
        self.setTextCursor(place)
        self.ensureCursorVisible()
        bar = self.verticalScrollBar()
        bar.setValue(bar.value() + self.cursorRect(place).top() - self.viewport().height() // 3)
