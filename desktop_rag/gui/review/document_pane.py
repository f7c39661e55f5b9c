"""The document under review: as text, or as its pages look, with what was found in it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui.backend import Backend
from desktop_rag.gui.pieces.buttons import IconButton, TextButton
from desktop_rag.gui.pieces.labels import label
from desktop_rag.gui.pieces.notice import Notice
from desktop_rag.gui.pieces.tabs import Tabs
from desktop_rag.gui.review.decisions import Decisions, ReviewedPage, Span
from desktop_rag.gui.review.inset import Inset
from desktop_rag.gui.review.page_panel import PagePanel
from desktop_rag.gui.review.text_panel import TextPanel
from desktop_rag.gui.tasks import Tasks
from desktop_rag.gui.theme import Theme
from desktop_rag.gui.words import plural

_SHOWN = 6


class DocumentPane(QWidget):
    """`picked(span)`, `mask_wanted()`; `view_changed(pages)` when the user switches between text and pages."""

    picked = Signal(object)
    mask_wanted = Signal()
    view_changed = Signal(bool)

    def __init__(
        self, theme: Theme, backend: Backend, tasks: Tasks, pages: Callable[[], bool], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._wants_pages = pages
        self._decisions: Decisions | None = None
        self.text = TextPanel(theme)
        self.pages = PagePanel(theme, backend, tasks)
        self.notice = Notice(theme)
        self._tabs = Tabs(theme, ("Text", "Page"))
        self.as_text, self.as_pages = self._tabs.buttons
        self.mask_button = TextButton(theme, "Mask selection…", self.mask_wanted.emit, kind="quiet", icon="eye-off")
        self._number = label("", "small", "muted")
        self._tools = self._page_tools(theme)
        self._build()
        self.text.picked.connect(self.picked)
        self.pages.picked.connect(self.picked)
        self.text.mask_wanted.connect(self.mask_wanted)
        self.text.selected.connect(self.mask_button.setEnabled)
        self.pages.refused.connect(self._refused)
        self.pages.failed.connect(self.notice.say_error)

    def _build(self) -> None:
        self._tabs.setContentsMargins(16, 4, 12, 4)
        self.as_text.setToolTip("Show the text (V)")
        self.as_pages.setToolTip("Show the pages (V)")
        self._tabs.addWidget(self._tools)
        self._tabs.addWidget(self.mask_button)
        self.mask_button.setToolTip("Select text first, then press M")
        self.mask_button.setEnabled(False)
        self._tabs.stack.addWidget(self.text)
        self._tabs.stack.addWidget(self.pages)
        self._tabs.fill(self, Inset(self.notice))
        self._tabs.group.idClicked.connect(lambda tab: self.show_pages(tab == 1))

    def _page_tools(self, theme: Theme) -> QWidget:
        tools = QWidget()
        row = QHBoxLayout(tools)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._number)
        for icon, name, action in (
            ("chevron-up", "Previous page", lambda: self.pages.go_to(self.pages.page - 1)),
            ("chevron-down", "Next page", lambda: self.pages.go_to(self.pages.page + 1)),
            ("zoom-out", "Smaller", lambda: self.pages.zoom_by(1 / 1.2)),
            ("zoom-in", "Larger", lambda: self.pages.zoom_by(1.2)),
            ("move-horizontal", "Fit the width", self.pages.fit_width),
        ):
            row.addWidget(IconButton(theme, icon, name, action))
        self.pages.page_changed.connect(self._say_page)
        self.pages.drawn.connect(self._say_page)
        return tools

    # -- showing -------------------------------------------------------------------------------

    def show_document(self, decisions: Decisions) -> None:
        """Show another document; one without pages is shown as text whatever the user likes best."""
        self._decisions = decisions
        self.notice.hide()
        if decisions.unread:
            self.notice.say(unread_words(decisions.unread), "What stands there is not indexed.")
        for button in (self.as_text, self.as_pages):
            button.setVisible(decisions.paged)
        self.as_pages.setEnabled(decisions.paged)
        self.text.show_document(decisions)
        self._switch(self._wants_pages() and decisions.paged)
        self.pages.show_document(decisions)

    def show_pages(self, wanted: bool) -> None:
        """Switch to the pages as they look, or to the text, and remember it."""
        if wanted and not self.as_pages.isEnabled():
            return
        self._switch(wanted)
        self.view_changed.emit(wanted)

    @property
    def shows_pages(self) -> bool:
        """Whether the pages are shown as they look."""
        return self._tabs.stack.currentWidget() is self.pages

    def _switch(self, pages: bool) -> None:
        self._tabs.show(1 if pages else 0)
        self._tools.setVisible(pages)
        self.mask_button.setVisible(not pages)
        if pages:
            self.pages.fetch()

    def look_at(self, span: Span | None) -> None:
        """Bring a value into view."""
        self.text.look_at(span)
        self.pages.look_at(span)

    def refresh(self, *, found: bool = False) -> None:
        """Show the decisions as they are now; `found` when there are other values than before."""
        self.text.show_spans() if found else self.text.refresh()
        self.pages.refresh()

    def _say_page(self) -> None:
        self._number.setText(f"{self.pages.page} / {self.pages.count}" if self.pages.count else "")

    def _refused(self, error: DesktopRagError) -> None:
        self.notice.say(error.message, "The text is shown instead.")
        self._switch(False)


def unread_words(pages: list[ReviewedPage]) -> str:
    """What could not be read, in a sentence."""
    named = [str(page.number or page.locator or "one part") for page in pages]
    shown = ", ".join(named[:_SHOWN]) + ("…" if len(named) > _SHOWN else "")
    if len(named) == 1:
        return f"{'Page ' if pages[0].number else ''}{shown} could not be read."
    return f"{plural(len(named), 'page')} could not be read: {shown}."
