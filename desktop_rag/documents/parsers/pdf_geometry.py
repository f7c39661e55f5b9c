"""From pdfium's coordinates to the page as it is displayed: origin at the top left, y downwards, turned upright."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import pypdfium2.raw as pdfium  # type: ignore[import-untyped]


@dataclass(frozen=True, slots=True)
class View:
    """How a page is shown: its visible box (left, bottom, right, top in points) and clockwise quarter turns."""

    left: float
    bottom: float
    right: float
    top: float
    turns: int

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in points of the page as displayed."""
        width, height = self.right - self.left, self.top - self.bottom
        return (height, width) if self.turns % 2 else (width, height)

    def place(self, left: float, bottom: float, right: float, top: float) -> tuple[float, float, float, float]:
        """(x0, y0, x1, y1) on the displayed page of a rectangle in pdfium's coordinates."""
        if self.turns == 0:
            return left - self.left, self.top - top, right - self.left, self.top - bottom
        if self.turns == 1:
            return bottom - self.bottom, left - self.left, top - self.bottom, right - self.left
        if self.turns == 2:
            return self.right - right, bottom - self.bottom, self.right - left, top - self.bottom
        return self.top - top, self.right - right, self.top - bottom, self.right - left


# Most pages: what is looked at line by line is looked at the way it stands.
_UNMOVED = View(0, 0, 0, 0, 0)


def view(page: Any) -> View:
    """How pdfium would display an opened page."""
    box = pdfium.FS_RECTF()
    pdfium.FPDF_GetPageBoundingBox(page, box)
    return View(box.left, box.bottom, box.right, box.top, max(0, pdfium.FPDFPage_GetRotation(page)) % 4)


class CharBoxes:
    """Boxes of single characters, on the displayed page; one buffer serves all calls, for speed."""

    def __init__(self, textpage: Any, shown: View) -> None:
        # pypdfium2 looks its handle up at every call.
        self._handle = textpage.raw
        self._place = shown.place if shown != _UNMOVED else None
        self._rectangle = pdfium.FS_RECTF()
        self._into = ctypes.byref(self._rectangle)
        self._measure = pdfium.FPDFText_GetLooseCharBox

    def box(self, character: int) -> tuple[float, float, float, float]:
        """(x0, y0, x1, y1) of the font's full height around pdfium's character of that number."""
        if not self._measure(self._handle, character, self._into):
            return 0.0, 0.0, 0.0, 0.0
        r = self._rectangle
        if self._place is None:
            return r.left, -r.top, r.right, -r.bottom
        return self._place(r.left, r.bottom, r.right, r.top)
