"""Pages of a document under each other, with the cited passage highlighted; each is fetched when it comes into view."""

from __future__ import annotations

from bisect import bisect_right

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui.sources.page_images import PageImages
from desktop_rag.gui.theme import Theme
from desktop_rag.gui.tokens import load

_GAP = 12
_ZOOMS = (0.25, 4.0)
_KEPT_BYTES = 48_000_000
_PIXELS_PER_POINT = 96 / 72
_DARK = 110
_FARTHEST = 2.0**30
"""What a scroll bar can count to, and more than a sane document has."""


class PageView(QAbstractScrollArea):
    """Boxes and sizes are in points from a page's top left; at zoom 1.0 an inch of paper takes 96 logical pixels.

    `drawn()` whenever all pages in view are painted as they look.
    """

    page_changed = Signal(int)
    drawn = Signal()
    failed = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._source: PageImages | None = None
        self._sizes: list[QSizeF] = []
        self._tops = [float(_GAP)]
        self._scale = 1.0
        self._zoom: float | None = None  # None: the page fills the width
        self._images: dict[tuple[int, int], QImage] = {}
        self._marked_page, self._marked_at, self._boxes = 0, 0, list[QRectF]()
        self._page = 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Document pages")
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        theme.watch(self.viewport().update)

    # -- document ------------------------------------------------------------------------------

    def open(self, source: PageImages) -> None:
        """Show the pages of a document, from the first."""
        self.close_document()
        self._source, self._sizes = source, source.sizes
        source.arrived.connect(self._arrived)
        source.failed.connect(self._failed)
        self._arrange()
        self.verticalScrollBar().setValue(0)

    def close_document(self) -> None:
        """Let go of the document and its pictures."""
        if self._source is not None:
            # A page may still be on its way to it.
            self._source.arrived.disconnect(self._arrived)
            self._source.failed.disconnect(self._failed)
        self._source, self._sizes, self._boxes, self._page = None, [], [], 0
        self._images.clear()
        self._arrange()

    def shows(self, document: str, as_of: str | None) -> bool:
        """Whether this document is open, in this state of its file."""
        return self._source is not None and self._source.file == {"document": document, "as_of": as_of}

    @property
    def as_of(self) -> str | None:
        """The state of the file that is open."""
        return self._source.file.get("as_of") if self._source is not None else None

    @property
    def count(self) -> int:
        """How many pages there are."""
        return len(self._sizes)

    @property
    def page(self) -> int:
        """The page in view, from 1."""
        return self._page + 1

    @property
    def boxes(self) -> list[QRectF]:
        """The highlighted rectangles, in points."""
        return list(self._boxes)

    @property
    def is_sharp(self) -> bool:
        """Whether everything in view is drawn for this size."""
        source = self._source
        return source is None or all(
            (page, self._dots(area)) in self._images or source.is_broken(page) for page, area in self._visible()
        )

    def mark(self, page: int, boxes: list[QRectF]) -> None:
        """Highlight rectangles of a page (from 1) and bring them into view."""
        self._marked_page, self._boxes = page - 1, boxes
        self.go_to(page)
        if boxes and 1 <= page <= self.count:
            top = self._tops[self._marked_page] + boxes[0].top() * self._scale
            self.verticalScrollBar().setValue(round(min(top - self.viewport().height() / 3, _FARTHEST)))
            self.horizontalScrollBar().setValue(round(boxes[0].left() * self._scale - self.viewport().width() / 3))
        self._marked_at = self.verticalScrollBar().value()
        self.viewport().update()

    def add_boxes(self, boxes: list[QRectF]) -> None:
        """Highlight rectangles found later on the page that was marked; who has read on meanwhile stays there."""
        if boxes and self.verticalScrollBar().value() == self._marked_at:
            self.mark(self._marked_page + 1, boxes)
        self._boxes = boxes
        self.viewport().update()

    def go_to(self, page: int) -> None:
        """Bring the top of a page (from 1) into view."""
        if 1 <= page <= self.count:
            self.verticalScrollBar().setValue(round(min(self._tops[page - 1] - _GAP, _FARTHEST)))

    # -- zoom ----------------------------------------------------------------------------------

    def zoom_by(self, factor: float) -> None:
        """Larger or smaller around what is in the middle."""
        self._zoom = min(max(self._scale / _PIXELS_PER_POINT * factor, _ZOOMS[0]), _ZOOMS[1])
        self._rearrange()

    def fit_width(self) -> None:
        """Let the page fill the width."""
        self._zoom = None
        self._rearrange()

    def _rearrange(self) -> None:
        """Arrange the pages anew; what was in the middle stays there."""
        bar, half = self.verticalScrollBar(), self.viewport().height() / 2
        share = (bar.value() + half) / self._tops[-1]
        self._arrange()
        bar.setValue(round(share * self._tops[-1] - half))

    def _fit_scale(self) -> float:
        widest = max((size.width() for size in self._sizes), default=595.0)
        fitting = (self.viewport().width() - 2 * _GAP) / widest
        return min(max(0.05, fitting), _ZOOMS[1] * _PIXELS_PER_POINT)

    def _arrange(self) -> None:
        self._scale = self._fit_scale() if self._zoom is None else self._zoom * _PIXELS_PER_POINT
        self._tops = [float(_GAP)]
        for size in self._sizes:
            self._tops.append(self._tops[-1] + size.height() * self._scale + _GAP)
        view = self.viewport().size()
        tall, wide = self._tops[-1], max((size.width() for size in self._sizes), default=0.0) * self._scale + 2 * _GAP
        self.verticalScrollBar().setRange(0, max(0, round(min(tall, _FARTHEST)) - view.height()))
        self.verticalScrollBar().setPageStep(view.height())
        self.verticalScrollBar().setSingleStep(40)
        self.horizontalScrollBar().setRange(0, max(0, round(min(wide, _FARTHEST)) - view.width()))
        self.horizontalScrollBar().setPageStep(view.width())
        self.viewport().update()

    # -- painting ------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it from the tokens."""
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.viewport().rect(), self._theme.colour("surface"))
        shown = self._visible()
        for page, area in shown:
            self._paint_page(painter, page, area)
        painter.end()
        self._fetch(shown)

    def _paint_page(self, painter: QPainter, page: int, area: QRectF) -> None:
        painter.fillRect(area, Qt.GlobalColor.white)
        image = self._nearest(page, self._dots(area))
        if image is not None:
            painter.drawImage(area, image)
        elif self._source is not None and self._source.is_broken(page):
            painter.setPen(QColor(load("light")["muted"]))
            painter.setFont(self._theme.font("body"))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, "This page cannot be shown.")
        painter.setPen(self._theme.colour("line"))
        painter.drawRect(area)
        if page == self._marked_page:
            for box in self._boxes:
                self._paint_box(painter, area, box, image)

    def _paint_box(self, painter: QPainter, area: QRectF, box: QRectF, image: QImage | None) -> None:
        # Laid on like a marker pen, whatever the theme: paper is white. A dark picture is lit up instead.
        dark = image is not None and _is_dark(image, box, area.width() / self._scale)
        modes = QPainter.CompositionMode
        painter.save()
        painter.setCompositionMode(modes.CompositionMode_Screen if dark else modes.CompositionMode_Multiply)
        painter.setPen(Qt.PenStyle.NoPen)
        colour = QColor(load("dark" if dark else "light")["highlight"])
        painter.setBrush(colour if dark else colour.darker(106))
        corner = area.topLeft() + QPointF(box.x() * self._scale - 2, box.y() * self._scale - 1)
        size = QSizeF(box.width() * self._scale + 4, box.height() * self._scale + 2)
        painter.drawRoundedRect(QRectF(corner, size), 2, 2)
        painter.restore()

    def _visible(self) -> list[tuple[int, QRectF]]:
        offset, view = self.verticalScrollBar().value(), self.viewport()
        shown = []
        for page in range(max(0, bisect_right(self._tops, offset) - 1), self.count):
            size = self._sizes[page] * self._scale
            left = max(float(_GAP), (view.width() - size.width()) / 2) - self.horizontalScrollBar().value()
            area = QRectF(QPointF(left, self._tops[page] - offset), size)
            if area.top() > view.height():
                break
            shown.append((page, area))
        return shown

    def _dots(self, area: QRectF) -> int:
        return max(1, round(area.width() * self.devicePixelRatioF()))

    def _nearest(self, page: int, width: int) -> QImage | None:
        """The page in that width, or for the time being in another one."""
        others = (image for (held, _), image in reversed(self._images.items()) if held == page)
        return self._images.get((page, width)) or next(others, None)

    # -- fetching ------------------------------------------------------------------------------

    def _fetch(self, shown: list[tuple[int, QRectF]]) -> None:
        """Ask for what is in view and not there; when all is, for the page that comes next."""
        if self._source is None or not shown:
            return
        wanted = [(page, self._dots(area)) for page, area in shown]
        missing = [key for key in wanted if key not in self._images and not self._source.is_broken(key[0])]
        self._trim(wanted)
        if missing:
            self._source.ask(*missing[0])
            return
        self.drawn.emit()
        following = wanted[-1][0] + 1
        if following < self.count and self._nearest(following, 0) is None:
            width = self._sizes[following].width() * self._scale * self.devicePixelRatioF()
            self._source.ask(following, max(1, round(width)))

    def _trim(self, wanted: list[tuple[int, int]]) -> None:
        """Let go of the oldest pictures out of view; the latest may be of the page that comes next."""
        held = sum(image.sizeInBytes() for image in self._images.values())
        for key in [key for key in self._images if key not in wanted][:-2]:
            if held > _KEPT_BYTES:
                held -= self._images.pop(key).sizeInBytes()

    def _arrived(self, page: int, width: int, image: QImage) -> None:
        self._images[page, width] = image
        self.viewport().update()

    def _failed(self, error: DesktopRagError) -> None:
        self.viewport().update()
        self.failed.emit(error)

    # -- moving --------------------------------------------------------------------------------

    def _scrolled(self) -> None:
        middle = self.verticalScrollBar().value() + self.viewport().height() / 2
        page = min(max(0, bisect_right(self._tops, middle) - 1), max(0, self.count - 1))
        if page != self._page:
            self._page = page
            self.page_changed.emit(page + 1)
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Handle the keys that are special here."""
        if event.key() in (Qt.Key.Key_PageDown, Qt.Key.Key_Right):
            self.go_to(self.page + 1)
        elif event.key() in (Qt.Key.Key_PageUp, Qt.Key.Key_Left):
            self.go_to(self.page - 1)
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel belongs to what surrounds this, unless it zooms."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom_by(1.15 if event.angleDelta().y() > 0 else 1 / 1.15)
            return
        super().wheelEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the content to the new size."""
        super().resizeEvent(event)
        self._rearrange()


def _is_dark(image: QImage, box: QRectF, page_width: float) -> bool:
    """Whether a box in points lies on a dark ground."""
    dots = image.width() / page_width
    part = image.copy(QRectF(box.topLeft() * dots, box.size() * dots).toAlignedRect() & image.rect())
    mean = part.scaled(1, 1, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
    return mean.pixelColor(0, 0).lightness() < _DARK
