"""The Viewer tab: a document open at a passage, as its page looks or as text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QRectF, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui import words
from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.pieces.buttons import IconButton
from desktop_rag.gui.pieces.empty import EmptyState
from desktop_rag.gui.pieces.labels import ElidedLabel, IconLabel, label, line
from desktop_rag.gui.pieces.notice import Notice
from desktop_rag.gui.sources.page_images import PageImages
from desktop_rag.gui.sources.page_view import PageView
from desktop_rag.gui.sources.text_view import TextView
from desktop_rag.gui.tasks import Tasks
from desktop_rag.gui.theme import Theme

_PATIENCE_MS = 400


class Viewer(QWidget):
    """`shown(passage)` when a passage is on the screen, highlighted."""

    shown = Signal(object)

    def __init__(self, theme: Theme, backend: Backend, tasks: Tasks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._backend, self._tasks = theme, backend, tasks
        self._passage: dict[str, Any] = {}
        self._unmarked = self._seeking = False
        self._patience = QTimer(self)
        self._icon = IconLabel(theme, "file", "muted")
        self._name = ElidedLabel("", "heading")
        self._place = label("", "small", "muted")
        self.notice = Notice(theme)
        self.pages = PageView(theme)
        self.text = TextView(theme)
        self._tools = self._toolbar()
        self._patience.setSingleShot(True)
        self._patience.setInterval(_PATIENCE_MS)
        self._patience.timeout.connect(lambda: self._place.setText("Finding the passage …"))
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
        for page in (self._empty, self.pages, self.text):
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
            ("chevron-up", "Previous page", lambda: self.pages.go_to(self.pages.page - 1)),
            ("chevron-down", "Next page", lambda: self.pages.go_to(self.pages.page + 1)),
            ("zoom-out", "Smaller", lambda: self.pages.zoom_by(1 / 1.2)),
            ("zoom-in", "Larger", lambda: self.pages.zoom_by(1.2)),
            ("move-horizontal", "Fit the width", self.pages.fit_width),
        ):
            row.addWidget(IconButton(self._theme, icon, name, action))
        self.pages.page_changed.connect(self._page_changed)
        self.pages.drawn.connect(self._seek)
        self.pages.failed.connect(self.notice.say_error)
        return tools

    # -- opening -------------------------------------------------------------------------------

    def open(self, passage: dict[str, Any]) -> None:
        """Show a passage or citation {document, name, page, locator, start, end, text} in its document."""
        self._give_up_seeking()
        self._passage, self._unmarked = passage, False
        self.notice.hide()
        self._set_head(passage)
        self._ask("locate", self._located, **_place_of(passage), boxes=False)

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

    @property
    def document(self) -> str | None:
        """The id of the document that is open."""
        return self._passage.get("document")

    def close_document(self) -> None:
        """Show nothing of it any more."""
        self._give_up_seeking()
        self._passage = {}
        self.notice.hide()
        self._head.hide()
        self.pages.close_document()
        self.text.show_pages([], None, None, 0, 0)
        self._stack.setCurrentWidget(self._empty)

    def _ask(
        self,
        op: str,
        done: Callable[[Event], None],
        failed: Callable[[DesktopRagError], None] | None = None,
        **args: Any,
    ) -> None:
        """Ask the library; what comes back after another passage was opened is let fall."""
        passage = self._passage

        def current(handler: Callable[[Any], None]) -> Callable[[Any], None]:
            return lambda answer: handler(answer) if passage is self._passage else None

        self._tasks.call(
            lambda: self._backend.library.call(op, **args), done=current(done), failed=current(failed or self._failed)
        )

    def _located(self, place: Event) -> None:
        file = {"document": self._passage["document"], "as_of": place.get("as_of")}
        if not (place.get("paged") and place.get("original")):
            self._ask_text(place)
        elif self.pages.shows(**file):
            self._show_pages()
        else:
            self._ask(
                "page_sizes",
                lambda found: self._open_pages(PageImages(self._backend, self._tasks, file, found["sizes"])),
                lambda _error: self._ask_text(place),
                **file,
            )

    def _open_pages(self, source: PageImages) -> None:
        self.pages.open(source)
        self._show_pages()

    def _show_pages(self) -> None:
        self._stack.setCurrentWidget(self.pages)
        self._tools.show()
        self.pages.mark(int(self._passage.get("page") or 1), [])
        self._page_changed(self.pages.page)
        self._unmarked = True
        if not self.pages.isVisible():
            # Nothing is drawn that would have to come first.
            self._seek()

    # -- the passage on its page -----------------------------------------------------------------

    def _seek(self) -> None:
        """The page is there: ask where on it the passage is, which takes seconds where it has to be recognised."""
        if self._unmarked:
            self._unmarked, self._seeking = False, True
            self._patience.start()
            self._ask("locate", self._found, **_place_of(self._passage), as_of=self.pages.as_of)

    def _give_up_seeking(self) -> None:
        """Another passage does not wait until this one is found: that takes longer than to start the reader anew."""
        if self._seeking and not self._patience.isActive():
            self._backend.library.cancel("locate")
        self._seeking = False
        self._patience.stop()

    def _found(self, place: Event) -> None:
        self._seeking = False
        self._patience.stop()
        boxes = place.get("boxes") or ()
        self.pages.add_boxes([QRectF(box["x"], box["y"], box["width"], box["height"]) for box in boxes])
        self._page_changed(self.pages.page)
        self.shown.emit(self._passage)

    # -- text ------------------------------------------------------------------------------------

    def _ask_text(self, place: Event) -> None:
        document = self._passage["document"]
        self._ask("document_view", lambda view: self._show_text(self._passage, place, view), document=document)

    def _show_text(self, passage: dict[str, Any], place: Event, view: Event) -> None:
        pages = list(view.get("pages") or [])
        start, end = (int({**passage, **place}.get(key) or 0) for key in ("start", "end"))
        # Where the original is gone, `locate` has already turned the offsets into those of the scrubbed text.
        stand_ins = view.get("stand_ins") or ()
        self.text.show_pages(pages, passage.get("page"), passage.get("locator"), start, end, stand_ins)
        if not view.get("original"):
            self.notice.say(
                str(view.get("note") or "The original file has changed or is gone."),
                "What you see is the scrubbed text that was indexed.",
            )
        self._stack.setCurrentWidget(self.text)
        self.pages.close_document()
        self._tools.hide()
        self.shown.emit(passage)

    def _failed(self, error: DesktopRagError) -> None:
        self._seeking = False
        self._patience.stop()
        self.notice.say_error(error)

    def _set_head(self, passage: dict[str, Any]) -> None:
        name = words.file_name(passage.get("name"))
        self._icon.show_icon(words.FORMAT_ICONS.get(name.rpartition(".")[2].lower(), "file"), "muted")
        self._name.setText(name)
        self._place.setText(words.place(passage))
        self._head.show()

    def _page_changed(self, page: int) -> None:
        self._place.setText(f"{page} / {self.pages.count}")


def _place_of(passage: dict[str, Any]) -> dict[str, Any]:
    return {key: passage.get(key) for key in ("document", "page", "locator", "start", "end")}
