"""The Viewer tab: a document open at a passage, as its PDF page or as text."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QRectF, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui import words
from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.pieces.buttons import IconButton
from desktop_rag.gui.pieces.empty import EmptyState
from desktop_rag.gui.pieces.labels import ElidedLabel, IconLabel, label, line
from desktop_rag.gui.pieces.notice import Notice
from desktop_rag.gui.sources.pdf_view import PdfView
from desktop_rag.gui.sources.text_view import TextView
from desktop_rag.gui.tasks import Tasks
from desktop_rag.gui.theme import Theme


class Viewer(QWidget):
    """`shown(passage)` when a passage is on the screen, highlighted."""

    shown = Signal(object)

    def __init__(self, theme: Theme, backend: Backend, tasks: Tasks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._backend, self._tasks = theme, backend, tasks
        self._passage: dict[str, Any] = {}
        self._icon = IconLabel(theme, "file", "muted")
        self._name = ElidedLabel("", "heading")
        self._place = label("", "small", "muted")
        self.notice = Notice(theme)
        self.pdf = PdfView(theme)
        self.text = TextView(theme)
        self._tools = self._toolbar()
        self._build()

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(14, 6, 8, 6)
        head.setSpacing(6)
        head.addWidget(self._icon)
        head.addWidget(self._name, 1)
        head.addWidget(self._place)
        head.addWidget(self._tools)
        self._head = QWidget()
        self._head.setLayout(head)
        self._head.setFixedHeight(42)
        notice = QHBoxLayout()
        notice.setContentsMargins(12, 8, 12, 0)
        notice.addWidget(self.notice)
        self._stack = QStackedLayout()
        self._empty = EmptyState(
            self._theme,
            "book-open",
            "Viewer",
            "Click a citation: its document opens here, at the page, with the passage marked.",
        )
        for page in (self._empty, self.pdf, self.text):
            self._stack.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._head)
        column.addWidget(line())
        column.addLayout(notice)
        column.addLayout(self._stack, 1)
        self._head.hide()

    def _toolbar(self) -> QWidget:
        tools = QWidget()
        row = QHBoxLayout(tools)
        row.setContentsMargins(4, 0, 0, 0)
        row.setSpacing(0)
        for icon, name, action in (
            ("chevron-up", "Previous page", lambda: self.pdf.go_to(self.pdf.page - 1)),
            ("chevron-down", "Next page", lambda: self.pdf.go_to(self.pdf.page + 1)),
            ("zoom-out", "Smaller", lambda: self.pdf.zoom_by(1 / 1.2)),
            ("zoom-in", "Larger", lambda: self.pdf.zoom_by(1.2)),
            ("move-horizontal", "Fit the width", self.pdf.fit_width),
        ):
            row.addWidget(IconButton(self._theme, icon, name, action))
        self.pdf.page_changed.connect(self._page_changed)
        return tools

    # -- opening -------------------------------------------------------------------------------

    def open(self, passage: dict[str, Any]) -> None:
        """Show a passage or citation {document, name, page, locator, start, end, text} in its document."""
        self._passage = passage
        self.notice.hide()
        self._set_head(passage)
        request = {key: passage.get(key) for key in ("document", "page", "locator", "start", "end")}
        self._tasks.call(
            lambda: self._backend.library.call("locate", **request),
            done=lambda place: self._located(passage, place),
            failed=lambda error: self._failed(passage, error),
        )

    def open_document(self, document: dict[str, Any]) -> None:
        """Show a whole document from its beginning."""
        pages = document.get("pages")
        self.open(
            {
                "document": document["id"],
                "name": document.get("name"),
                "page": 1 if pages else None,
                "start": 0,
                "end": 0,
            }
        )

    def _located(self, passage: dict[str, Any], place: Event) -> None:
        if passage is not self._passage:
            return
        if place.get("format") == "pdf" and place.get("original") and self.pdf.open(str(place.get("path"))):
            boxes = [QRectF(box["x"], box["y"], box["width"], box["height"]) for box in place.get("boxes") or ()]
            self._stack.setCurrentWidget(self.pdf)
            self._tools.show()
            self.pdf.mark(int(place.get("page") or 1), boxes)
            self._page_changed(self.pdf.page)
            self.shown.emit(passage)
            return
        self._tasks.call(
            lambda: self._backend.library.call("document_view", document=passage["document"]),
            done=lambda view: self._show_text(passage, place, view),
            failed=lambda error: self._failed(passage, error),
        )

    def _show_text(self, passage: dict[str, Any], place: Event, view: Event) -> None:
        if passage is not self._passage:
            return
        pages = list(view.get("pages") or [])
        start, end = (int({**passage, **place}.get(key) or 0) for key in ("start", "end"))
        # Where the original is gone, `locate` has already turned the offsets into those of the scrubbed text.
        self.text.show_pages(pages, passage.get("page"), passage.get("locator"), start, end)
        if not view.get("original"):
            self.notice.say(
                str(view.get("note") or "The original file has changed or is gone."),
                "What you see is the scrubbed text that was indexed.",
            )
        self._stack.setCurrentWidget(self.text)
        self._tools.hide()
        self.shown.emit(passage)

    def _failed(self, passage: dict[str, Any], error: DesktopRagError) -> None:
        if passage is self._passage:
            self.notice.say_error(error)

    def _set_head(self, passage: dict[str, Any]) -> None:
        name = str(passage.get("name") or "")
        self._icon.show_icon(words.FORMAT_ICONS.get(name.rpartition(".")[2].lower(), "file"), "muted")
        self._name.setText(name)
        self._place.setText(words.place(passage))
        self._head.show()

    def _page_changed(self, page: int) -> None:
        self._place.setText(f"{page} / {self.pdf.pages}")
