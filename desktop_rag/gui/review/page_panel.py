"""The pages of a document as they look, with a box over each value that was found."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QWidget

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.review.decisions import Decisions, Span
from desktop_rag.gui.sources.page_images import PageImages
from desktop_rag.gui.sources.page_view import PageView
from desktop_rag.gui.tasks import Tasks
from desktop_rag.gui.theme import Theme
from desktop_rag.gui.tokens import load

_Place = tuple[int, int, int]


class PagePanel(PageView):
    """`picked(span)` when a value is clicked; `refused(error)` when the pages cannot be shown.

    Nothing is fetched before it is in view: first the picture of a page, then all boxes of the page at once.
    """

    picked = Signal(object)
    refused = Signal(object)

    def __init__(self, theme: Theme, backend: Backend, tasks: Tasks, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._backend, self._tasks = backend, tasks
        self._decisions: Decisions | None = None
        self._current: Span | None = None
        self._found: dict[_Place, list[QRectF]] = {}
        self._asked: set[_Place] = set()
        self._busy = False
        self.setAccessibleName("Pages of the document with private values marked")
        self.drawn.connect(self._seek)

    def show_document(self, decisions: Decisions) -> None:
        """Show another document, from its first page; its pictures come as soon as the panel is in view."""
        self.close_document()
        self._decisions, self._current = decisions, None
        self._found, self._asked, self._busy = {}, set(), False
        if decisions.paged and self.isVisible():
            self.fetch()

    def fetch(self) -> None:
        """Ask for the pages, unless they are here."""
        decisions = self._decisions
        if decisions is None or self._source is not None:
            return
        nowhere = {"page": 1, "locator": None, "start": 0, "end": 0, "boxes": False}
        self._ask("locate", lambda place: self._open(decisions, place), document=decisions.document, **nowhere)

    def _open(self, decisions: Decisions, place: Event) -> None:
        file = {"document": decisions.document, "as_of": place.get("as_of")}
        self._ask(
            "page_sizes", lambda found: self.open(PageImages(self._backend, self._tasks, file, found["sizes"])), **file
        )

    def open(self, source: PageImages) -> None:
        """Show the pages; the value looked at comes into view."""
        super().open(source)
        self.look_at(self._current)

    def look_at(self, span: Span | None) -> None:
        """Bring one value into view and mark it as the one looked at."""
        self._current = span
        if span is not None and self._source is not None:
            boxes = self._found.get(_place(span))
            self._bring(span.page, boxes[0] if boxes else None)
        self.viewport().update()

    def _bring(self, page: int, box: QRectF | None) -> None:
        """Scroll to a box, or to the page it will be on, unless that is in view."""
        for shown, area in self._visible():
            here = area if box is None else _on_screen(area, box, self._scale)
            view = QRectF(self.viewport().rect())
            if shown == page and (view.contains(here) if box is not None else area.intersects(view)):
                return
        self.go_to(page + 1)
        if box is not None:
            top = self._tops[page] + box.top() * self._scale
            self.verticalScrollBar().setValue(round(top - self.viewport().height() / 3))

    def refresh(self) -> None:
        """Decisions changed: other boxes, or other colours."""
        self.viewport().update()
        self._seek()

    @property
    def is_marked(self) -> bool:
        """Whether every value on the pages in view has its boxes."""
        places = {_place(span) for page, _ in self._visible() for span in self._spans(page)}
        return bool(self._sizes) and places <= self._found.keys()

    # -- boxes ---------------------------------------------------------------------------------

    def _seek(self) -> None:
        """Ask for the boxes of the first page in view that lacks some."""
        if self._decisions is None or self._source is None or self._busy:
            return
        for page, _ in self._visible():
            wanted = [span for span in self._spans(page) if _place(span) not in self._asked]
            if wanted:
                self._ask_boxes(page, wanted)
                return

    def _ask_boxes(self, page: int, wanted: list[Span]) -> None:
        self._busy = True
        self._asked.update(map(_place, wanted))
        request: dict[str, Any] = {**(self._source.file if self._source else {}), "page": page + 1}
        ranges = [[span.first, span.last] for span in wanted]
        self._ask("review_boxes", lambda found: self._located(wanted, found), **request, ranges=ranges)

    def _located(self, wanted: list[Span], found: Event) -> None:
        self._busy = False
        for span, boxes in zip(wanted, found["boxes"], strict=True):
            self._found[_place(span)] = [QRectF(b["x"], b["y"], b["width"], b["height"]) for b in boxes]
        self.look_at(self._current)
        self._seek()

    def _ask(self, op: str, done: Any, **args: Any) -> None:
        """Ask the library; what comes back after another document was opened is let fall."""
        decisions = self._decisions

        def refused(error: DesktopRagError) -> None:
            if decisions is self._decisions:
                self._busy = False
                self.refused.emit(error)

        self._tasks.call(
            lambda: self._backend.library.call(op, **args),
            done=lambda answer: done(answer) if decisions is self._decisions else None,
            failed=refused,
        )

    def _spans(self, page: int) -> list[Span]:
        return [span for span in self._decisions.spans if span.page == page] if self._decisions else []

    # -- painting and picking ------------------------------------------------------------------

    def _paint_page(self, painter: QPainter, page: int, area: QRectF) -> None:
        super()._paint_page(painter, page, area)
        for span in self._spans(page):
            for box in self._found.get(_place(span), ()):
                self._paint_span(painter, _on_screen(area, box, self._scale), span)

    def _paint_span(self, painter: QPainter, box: QRectF, span: Span) -> None:
        # Paper is white whatever the theme, so the colours are those of the light one.
        kit = load("light")
        current = span is self._current
        role = "private" if span.replace else "muted"
        fill = QColor(kit["highlight"] if current else kit[role])
        fill.setAlphaF(0.75 if current else 0.22 if span.replace else 0.0)
        painter.save()
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Multiply)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawRoundedRect(box, 2, 2)
        painter.restore()
        style = Qt.PenStyle.DashLine if span.is_open else Qt.PenStyle.SolidLine if span.replace else Qt.PenStyle.DotLine
        painter.setPen(QPen(QColor(kit["warn" if span.is_open else role]), 2.0 if current else 1.0, style))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, 2, 2)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click picks the value under it."""
        super().mouseReleaseEvent(event)
        for page, area in self._visible():
            for span in self._spans(page):
                boxes = (_on_screen(area, box, self._scale) for box in self._found.get(_place(span), ()))
                if any(box.contains(event.position()) for box in boxes):
                    self.picked.emit(span)
                    return


def _place(span: Span) -> _Place:
    return span.page, span.first, span.last


def _on_screen(area: QRectF, box: QRectF, scale: float) -> QRectF:
    corner = area.topLeft() + QPointF(box.x() * scale - 1, box.y() * scale - 1)
    return QRectF(corner, QSizeF(box.width() * scale + 2, box.height() * scale + 2))
