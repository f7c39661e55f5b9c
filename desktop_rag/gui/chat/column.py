"""A long column of cards of which only those near the viewport exist as widgets."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QScrollArea, QWidget

from desktop_rag.gui.chat.entries import Entry

GAP = 20
MARGIN = 24
_GUESS = 120
_NEAR_END = 8


class Column(QScrollArea):
    """Places one widget per entry, `width` at most, made by `make(entry)` when it comes near the viewport.

    Heights of entries never shown are guessed; when a guess above the viewport turns out wrong,
    the scroll position moves along so that what is being read stays where it is.
    """

    def __init__(self, make: Callable[[Entry], QWidget], width: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._make, self._width = make, width
        self._entries: list[Entry] = []
        self._heights: dict[int, int] = {}
        self._widgets: dict[int, QWidget] = {}
        self._canvas = QWidget()
        # A canvas that grows at its end draws what is new only.
        self._canvas.setAttribute(Qt.WidgetAttribute.WA_StaticContents)
        self.setWidget(self._canvas)
        self.setWidgetResizable(False)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(0)
        self._later.timeout.connect(self._arrange)
        self._follow = True
        self._arranging = False
        self.verticalScrollBar().valueChanged.connect(self._scrolled)

    # -- content -------------------------------------------------------------------------------

    def show_entries(self, entries: list[Entry]) -> None:
        """Replace everything and go to the end."""
        for widget in self._widgets.values():
            widget.hide()
            widget.deleteLater()
        self._widgets.clear()
        self._heights.clear()
        self._entries = list(entries)
        self._follow = True
        self._arrange()

    def append(self, entry: Entry) -> None:
        """Add an entry at the end and go there."""
        self._entries.append(entry)
        self._follow = True
        self._arrange()

    def widget_of(self, entry: Entry) -> QWidget | None:
        """The widget of an entry, if it is near the viewport."""
        return self._widgets.get(id(entry))

    @property
    def shown(self) -> int:
        """How many widgets exist."""
        return len(self._widgets)

    def entry_resized(self) -> None:
        """Some widget wants another height: arrange once, after this event."""
        self._later.start()

    # -- placing -------------------------------------------------------------------------------

    def _column(self) -> tuple[int, int]:
        room = self.viewport().width()
        width = max(200, min(self._width, room - 2 * MARGIN))
        return max(0, (room - width) // 2), width

    def _arrange(self) -> None:
        self._arranging = True
        self._place()
        self._arranging = False

    def _place(self) -> None:
        left, width = self._column()
        bar = self.verticalScrollBar()
        anchor = bar.value()
        self._measure(width)
        tops = self._tops()
        total = (tops[-1] + self._height(self._entries[-1]) if self._entries else 0) + MARGIN
        self._canvas.resize(self.viewport().width(), max(total, self.viewport().height()))
        if self._follow:
            bar.setValue(bar.maximum())
        elif bar.value() != anchor:
            bar.setValue(anchor)
        if self._materialise(tops, width):
            self._later.start()
        for entry, top in zip(self._entries, tops, strict=True):
            widget = self._widgets.get(id(entry))
            if widget is not None:
                widget.setGeometry(left, top, width, self._height(entry))

    def _measure(self, width: int) -> None:
        for entry in self._entries:
            widget = self._widgets.get(id(entry))
            if widget is not None:
                self._heights[id(entry)] = _height(widget, width)

    def _height(self, entry: Entry) -> int:
        return self._heights.get(id(entry), _GUESS)

    def _tops(self) -> list[int]:
        tops, position = [], MARGIN
        for entry in self._entries:
            tops.append(position)
            position += self._height(entry) + GAP
        return tops

    def _materialise(self, tops: list[int], width: int) -> bool:
        view = self.viewport().height()
        first = self.verticalScrollBar().value() - view
        last = first + 3 * view
        made, moved = False, 0
        for entry, top in zip(self._entries, tops, strict=True):
            near = top + self._height(entry) >= first and top <= last
            key = id(entry)
            if near and key not in self._widgets:
                widget = self._make(entry)
                widget.setParent(self._canvas)
                self._widgets[key] = widget
                before, self._heights[key] = self._height(entry), _height(widget, width)
                moved += self._heights[key] - before if top < first + view else 0
                widget.show()
                made = True
            elif not near and key in self._widgets:
                gone = self._widgets.pop(key)
                gone.hide()
                gone.deleteLater()
        if moved and not self._follow:
            self.verticalScrollBar().setValue(self.verticalScrollBar().value() + moved)
        return made

    def _scrolled(self) -> None:
        if not self._arranging:
            bar = self.verticalScrollBar()
            self._follow = bar.value() >= bar.maximum() - _NEAR_END
        self._later.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the content to the new size."""
        super().resizeEvent(event)
        self._arrange()


def _height(widget: QWidget, width: int) -> int:
    own = getattr(widget, "height_at", None)
    if own is not None:
        return int(own(width))
    layout = widget.layout()
    if layout is None:
        return widget.sizeHint().height()
    layout.activate()
    return layout.totalHeightForWidth(width) if layout.hasHeightForWidth() else layout.totalSizeHint().height()
