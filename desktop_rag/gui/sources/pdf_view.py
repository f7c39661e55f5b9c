"""Pages of a PDF under each other, drawn by QtPdf, with the cited passage highlighted.

QtPdf is imported when the first PDF is opened: the window starts without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

from desktop_rag.gui.theme import Theme
from desktop_rag.gui.tokens import load

if TYPE_CHECKING:
    from PySide6.QtPdf import QPdfDocument

_GAP = 12
_ZOOMS = (0.25, 4.0)
_CACHED = 6


class PdfView(QAbstractScrollArea):
    """Boxes and sizes are in points from a page's top left; at zoom 1.0 an inch of paper takes 96 logical pixels."""

    page_changed = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._document: QPdfDocument | None = None
        self._path = ""
        self._zoom: float | None = None  # None: the page fills the width
        self._images: dict[tuple[int, int], QImage] = {}
        self._marked_page, self._boxes = 0, list[QRectF]()
        self._page = 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Document pages")
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        theme.watch(self.viewport().update)

    # -- document ------------------------------------------------------------------------------

    def open(self, path: str) -> bool:
        """Load a file; False when it cannot be shown."""
        from PySide6.QtPdf import QPdfDocument

        if self._document is None:
            self._document = QPdfDocument(self)
        if path != self._path or self._document.pageCount() == 0:
            self._path = path
            self._images.clear()
            self._document.load(path)
        self._arrange()
        return self._document.status() == QPdfDocument.Status.Ready and self._document.pageCount() > 0

    def close_document(self) -> None:
        """Let go of the file."""
        if self._document is not None:
            self._document.close()
        self._path = ""
        self._images.clear()

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return self._document.pageCount() if self._document is not None else 0

    @property
    def page(self) -> int:
        """The page in view, from 1."""
        return self._page + 1

    @property
    def boxes(self) -> list[QRectF]:
        """The highlighted rectangles, in points."""
        return list(self._boxes)

    def mark(self, page: int, boxes: list[QRectF]) -> None:
        """Highlight rectangles of a page (from 1) and bring them into view."""
        self._marked_page, self._boxes = page - 1, boxes
        self.go_to(page)
        if boxes:
            top = self._tops()[self._marked_page] + boxes[0].top() * self._scale(self._marked_page)
            self.verticalScrollBar().setValue(round(top - self.viewport().height() / 3))
        self.viewport().update()

    def go_to(self, page: int) -> None:
        """Bring the top of a page (from 1) into view."""
        if 1 <= page <= self.pages:
            self.verticalScrollBar().setValue(round(self._tops()[page - 1] - _GAP))

    # -- zoom ----------------------------------------------------------------------------------

    def zoom_by(self, factor: float) -> None:
        """Larger or smaller around the page in view."""
        present = self._zoom or self._fit_scale() / _PIXELS_PER_POINT
        self._set_zoom(min(max(present * factor, _ZOOMS[0]), _ZOOMS[1]))

    def fit_width(self) -> None:
        """Let the page fill the width."""
        self._set_zoom(None)

    def _set_zoom(self, zoom: float | None) -> None:
        page = self.page
        self._zoom = zoom
        self._images.clear()
        self._arrange()
        self.go_to(page)

    def _size(self, page: int) -> QSizeF:
        assert self._document is not None
        return self._document.pagePointSize(page)

    def _fit_scale(self) -> float:
        widest = max((self._size(page).width() for page in range(self.pages)), default=595.0)
        return max(0.2, (self.viewport().width() - 2 * _GAP) / widest)

    def _scale(self, _page: int) -> float:
        return self._fit_scale() if self._zoom is None else self._zoom * _PIXELS_PER_POINT

    def _tops(self) -> list[float]:
        tops, position = [], float(_GAP)
        for page in range(self.pages):
            tops.append(position)
            position += self._size(page).height() * self._scale(page) + _GAP
        return [*tops, position]

    def _arrange(self) -> None:
        if not self.pages:
            return
        view = self.viewport().size()
        tall = round(self._tops()[-1])
        wide = round(max(self._size(page).width() * self._scale(page) for page in range(self.pages))) + 2 * _GAP
        self.verticalScrollBar().setRange(0, max(0, tall - view.height()))
        self.verticalScrollBar().setPageStep(view.height())
        self.verticalScrollBar().setSingleStep(40)
        self.horizontalScrollBar().setRange(0, max(0, wide - view.width()))
        self.horizontalScrollBar().setPageStep(view.width())
        self.viewport().update()

    # -- painting ------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it from the tokens."""
        painter = QPainter(self.viewport())
        painter.fillRect(self.viewport().rect(), self._theme.colour("surface"))
        for page, area in self._visible():
            painter.drawImage(area, self._image(page, area))
            painter.setPen(self._theme.colour("line"))
            painter.drawRect(area)
            if page == self._marked_page:
                self._paint_boxes(painter, area, self._scale(page))
        painter.end()

    def _paint_boxes(self, painter: QPainter, area: QRectF, scale: float) -> None:
        # Paper is white in every theme, so the highlight of the light theme is laid on it like a marker pen.
        painter.save()
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Multiply)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(load("light")["highlight"]).darker(106))
        for box in self._boxes:
            corner = area.topLeft() + QPointF(box.x() * scale - 2, box.y() * scale - 1)
            painter.drawRoundedRect(QRectF(corner, QSizeF(box.width() * scale + 4, box.height() * scale + 2)), 2, 2)
        painter.restore()

    def _visible(self) -> list[tuple[int, QRectF]]:
        offset, view = self.verticalScrollBar().value(), self.viewport()
        tops = self._tops()
        shown = []
        for page in range(self.pages):
            size = self._size(page) * self._scale(page)
            left = max(float(_GAP), (view.width() - size.width()) / 2) - self.horizontalScrollBar().value()
            area = QRectF(QPointF(left, tops[page] - offset), size)
            if area.bottom() >= 0 and area.top() <= view.height():
                shown.append((page, area))
        return shown

    def _image(self, page: int, area: QRectF) -> QImage:
        assert self._document is not None
        ratio = self.devicePixelRatioF()
        key = (page, round(area.width() * ratio))
        if key not in self._images:
            while len(self._images) >= _CACHED:
                self._images.pop(next(iter(self._images)))
            image = self._document.render(page, QSize(key[1], round(area.height() * ratio)))
            paper = QImage(image.size(), QImage.Format.Format_RGB32)
            paper.fill(Qt.GlobalColor.white)
            painter = QPainter(paper)
            painter.drawImage(0, 0, image)
            painter.end()
            self._images[key] = paper
        return self._images[key]

    # -- moving --------------------------------------------------------------------------------

    def _scrolled(self) -> None:
        middle = self.verticalScrollBar().value() + self.viewport().height() / 2
        page = max((page for page, top in enumerate(self._tops()[:-1]) if top <= middle), default=0)
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
        page = self.page
        self._arrange()
        if self._boxes and self._marked_page == page - 1:
            self.mark(page, self._boxes)


_PIXELS_PER_POINT = 96 / 72
