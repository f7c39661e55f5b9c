"""Text to read: an answer with chips, marks and pseudonyms, as tall as its content, streaming at its tail only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import ceil

from PySide6.QtCore import QEvent, QMimeData, QPoint, QSize, Qt, Signal
from PySide6.QtGui import (
    QFont,
    QHelpEvent,
    QMouseEvent,
    QResizeEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QSizePolicy, QToolTip, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.chat import inline, markup
from desktop_rag.gui.links import host_of
from desktop_rag.gui.pieces.inert import InertBrowser
from desktop_rag.gui.private_text import is_pseudonym, settled, spoken, spots
from desktop_rag.gui.reveal import Reveal
from desktop_rag.gui.theme import Theme
from desktop_rag.gui.visible import tip, visible

# What no formatting can begin with; and after so many characters a line is no heading or list entry any more.
_PLAIN = re.compile(r"[^\n\[\]*`/]*")
_DECIDED = 8
_SPARE_LINES = 6


class RichText(InertBrowser):
    """Shows blocks of `markup`; `resized` when its height changed.

    `cited(marker)` when a chip is clicked, `linked(address)` when an address is.
    """

    cited = Signal(int)
    linked = Signal(str)
    resized = Signal()

    def __init__(self, theme: Theme, reveal: Reveal, step: str = "reading", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._reveal, self._step = theme, reveal, step
        self._streamed = 0  # code points of the answer whose lines are complete and never touched again
        self._streaming = False
        self._tail = 0  # where the unfinished last line begins in the document
        self._plain = ""  # all that is shown, while the last line is plain words to which more can be appended
        self._previews: dict[int, str] = {}
        self.painter = inline.InlinePainter(theme, self)
        self.document().documentLayout().registerHandler(inline.OBJECT, self.painter)
        self.document().setDocumentMargin(0)
        # Growing downwards leaves what is drawn as it is.
        self.setAttribute(Qt.WidgetAttribute.WA_StaticContents)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_StaticContents)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.anchorClicked.connect(lambda url: self._open(url.toEncoded().toStdString()))

    # -- content -------------------------------------------------------------------------------

    def show_blocks(self, content: list[markup.Block], previews: dict[int, str] | None = None) -> None:
        """Replace everything; `previews` are the tooltips of the chips by marker."""
        self._previews = previews or {}
        self._streaming = False
        self.clear()
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        self._write(cursor, content)
        cursor.endEditBlock()
        self._grown()

    def begin_stream(self) -> None:
        """Start an empty answer that grows by `stream`."""
        self.clear()
        self._streaming = True
        self._streamed = self._tail = 0
        self._plain = ""

    def stream(self, answer: str) -> None:
        """Show an answer that is longer than before: plain words are appended, else its last line is rewritten."""
        visible = answer[: settled(answer)]
        cursor = QTextCursor(self.document())
        added = visible[len(self._plain) :]
        stand_ins = self._reveal.stand_ins
        growing = visible[self._streamed :]
        if (
            self._plain
            and _PLAIN.fullmatch(added)
            and visible.startswith(self._plain)
            and spots(stand_ins).search(growing) is None
        ):
            self._append(added)
            self._plain = visible
            return
        cursor.beginEditBlock()
        cursor.setPosition(self._tail)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        complete = visible.rfind("\n") + 1
        if complete > self._streamed:
            self._write(cursor, markup.blocks(visible[self._streamed : complete], (), stand_ins))
            self._streamed = complete
            self._tail = cursor.position()
        tail = visible[self._streamed :]
        rest = markup.blocks(tail, (), stand_ins)
        self._write(cursor, rest)
        cursor.endEditBlock()
        self._plain = (
            visible if len(tail.strip()) > _DECIDED and rest == [markup.Block("text", (markup.Run(tail),))] else ""
        )
        self._grown()

    def _append(self, words: str) -> None:
        """Draw only the lines that change: a whole long paragraph, many times a second, takes a core from the model."""
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        changed = self.cursorRect(cursor).top() - self._theme.tokens.type[self._step]
        view = self.viewport()
        # Set as an attribute, for the method would draw everything as soon as it is undone.
        view.setAttribute(Qt.WidgetAttribute.WA_UpdatesDisabled, True)
        cursor.insertText(visible(words), self._text_format())
        view.setAttribute(Qt.WidgetAttribute.WA_UpdatesDisabled, False)
        view.update(0, changed, view.width(), view.height())
        self._grown()

    def _write(self, cursor: QTextCursor, content: list[markup.Block]) -> None:
        for block in content:
            if cursor.position() > 0:
                cursor.insertBlock()
            cursor.setBlockFormat(self._block_format(block, first=cursor.position() == 0))
            if block.kind in ("bullet", "number"):
                cursor.insertText("•\u2002" if block.kind == "bullet" else f"{block.label}.\u2002", self._text_format())
            for part in block.parts:
                if isinstance(part, markup.Mark):
                    self._write_mark(cursor, part)
                else:
                    cursor.insertText(self._shown(part), self._run_format(part, block.kind))

    def _write_mark(self, cursor: QTextCursor, mark: markup.Mark) -> None:
        for place, marker in enumerate(mark.citations, 1):
            support = mark.support if place == len(mark.citations) else ""
            cursor.insertText(inline.OBJECT_CHARACTER, inline.chip(marker, mark.support == "weak", support))
        if mark.support and not mark.citations:
            cursor.insertText(inline.OBJECT_CHARACTER, inline.support_mark(mark.support))
        cursor.insertText(" ", self._text_format())

    # -- formats -------------------------------------------------------------------------------

    def _shown(self, run: markup.Run) -> str:
        if run.token is None:
            return visible(run.text)
        value = self._reveal.value(run.token) if self._reveal.shown else None
        return value or spoken(run.token)

    def _block_format(self, block: markup.Block, first: bool) -> QTextBlockFormat:
        form = QTextBlockFormat()
        form.setLineHeight(self._line_height(), QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        form.setTopMargin(0 if first else {"bullet": 2, "number": 2, "code": 0, "heading": 14}.get(block.kind, 8))
        if block.kind in ("bullet", "number"):
            form.setLeftMargin(22)
            form.setTextIndent(-14 if block.kind == "bullet" else -18)
        return form

    def _text_format(self) -> QTextCharFormat:
        form = QTextCharFormat()
        form.setFont(self._theme.font(self._step))
        form.setForeground(self._theme.colour("text"))
        return form

    def _run_format(self, run: markup.Run, kind: str) -> QTextCharFormat:
        form = self._text_format()
        if kind == "heading" or run.bold:
            form.setFontWeight(QFont.Weight.DemiBold)
        if run.code:
            form.setFont(self._theme.font("body", mono=True))
            form.setBackground(self._theme.colour("surface"))
        if run.link:
            form.setForeground(self._theme.colour("accent"))
            form.setFontUnderline(True)
            form.setAnchor(True)
            form.setAnchorHref(f"open:{run.text}")
        if run.token is not None:
            form.setForeground(self._theme.colour("private"))
            form.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
            form.setUnderlineColor(self._theme.colour("private"))
            form.setAnchor(True)
            form.setAnchorHref(f"private:{run.token}")
        return form

    # -- behaviour -----------------------------------------------------------------------------

    def ring(self, marker: int | None) -> None:
        """Ring the chip whose passage is open."""
        self.painter.ringed = marker
        self.viewport().update()

    def words_at(self, href: str) -> str:
        """The tooltip of what lies under the pointer."""
        kind, _, rest = href.partition(":")
        if kind == "cite":
            marker, _, support = rest.partition(":")
            return "\n".join(part for part in (self._previews.get(int(marker), ""), words.support(support)) if part)
        if kind == "support":
            return words.support(rest)
        if kind == "open":
            return f"Click to open {host_of(rest)} in your browser; you are asked first."
        if kind == "private":
            value = self._reveal.value(rest)
            if value and not is_pseudonym(rest):
                return f"{rest} stands for {value}"
            return f"{spoken(rest)} is {value}" if value else f"{spoken(rest)}: the real value is not in the vault"
        return ""

    def _open(self, href: str) -> None:
        kind, _, rest = href.partition(":")
        if kind == "cite":
            self.cited.emit(int(rest.partition(":")[0]))
        elif kind == "open":
            self.linked.emit(rest)

    def _grown(self) -> None:
        if not self._streaming or self._height() > self.height():
            self.updateGeometry()
            self.resized.emit()

    def viewportEvent(self, event: QEvent) -> bool:
        """Show a tooltip for what lies under the pointer."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = self.words_at(self.anchorAt(event.pos()))
            QToolTip.showText(event.globalPos(), tip(text), self) if text else QToolTip.hideText()
            return True
        return super().viewportEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """A hand over what can be clicked, an arrow over everything else."""
        super().mouseMoveEvent(event)
        href = self.anchorAt(event.position().toPoint())
        if href and not href.startswith(("cite:", "open:")):
            self.viewport().setCursor(Qt.CursorShape.ArrowCursor)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel belongs to what surrounds this, unless it zooms."""
        event.ignore()

    def createMimeDataFromSelection(self) -> QMimeData:
        """Copy words only, without chips and marks; a value that is shown is copied as what stands for it."""
        data = QMimeData()
        cursor = self.textCursor()
        parts = self._selected(cursor.selectionStart(), cursor.selectionEnd())
        data.setText("".join(parts).replace(inline.OBJECT_CHARACTER, ""))
        return data

    def _selected(self, start: int, end: int) -> Iterator[str]:
        block = self.document().findBlock(start)
        while block.isValid() and block.position() < end:
            if block.position() > start:
                yield "\n"
            it = block.begin()
            while not it.atEnd():
                fragment = it.fragment()
                at, stop = fragment.position(), fragment.position() + fragment.length()
                kind, _, token = fragment.charFormat().anchorHref().partition(":")
                if at < end and stop > start:
                    yield spoken(token) if kind == "private" else self._words(max(start, at), min(end, stop))
                it += 1
            block = block.next()

    def _words(self, start: int, end: int) -> str:
        cursor = QTextCursor(self.document())
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        return cursor.selectedText()

    def heightForWidth(self, width: int) -> int:
        """The height of the text at a width."""
        if width > 0 and self.document().textWidth() != width:
            self.document().setTextWidth(width)
        return self._height()

    def _height(self) -> int:
        """What the text needs; while it grows some lines more, so that not every line moves everything."""
        needed = ceil(self.document().size().height()) + 2
        step = _SPARE_LINES * self._line_height()
        return ceil(needed / step) * step if self._streaming else needed

    def _line_height(self) -> int:
        return round(self._theme.tokens.type[self._step] * 1.6)

    def hasHeightForWidth(self) -> bool:
        """Its height depends on its width."""
        return True

    def sizeHint(self) -> QSize:
        """The size that shows everything."""
        return QSize(400, self.heightForWidth(self.width()))

    def minimumSizeHint(self) -> QSize:
        """The least size that still makes sense."""
        return QSize(120, 20)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the content to the new size."""
        super().resizeEvent(event)
        self.verticalScrollBar().setRange(0, 0)

    def chip_position(self, marker: int) -> QPoint | None:
        """Where a chip is, in this widget's coordinates; None when the answer has no such chip."""
        block = self.document().begin()
        while block.isValid():
            it = block.begin()
            while not it.atEnd():
                fragment = it.fragment()
                if fragment.charFormat().anchorHref().startswith(f"cite:{marker}:"):
                    cursor = QTextCursor(self.document())
                    cursor.setPosition(fragment.position())
                    place = self.cursorRect(cursor)
                    return QPoint(place.left() + 12, place.center().y())
                it += 1
            block = block.next()
        return None
