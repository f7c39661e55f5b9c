"""Pages that are pictures: blank, read by text recognition, or said to be unread and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from desktop_rag.documents.model import BLANK, Page, UnreadPage

if TYPE_CHECKING:
    from desktop_rag.documents.recognise import Recognised

Picture = npt.NDArray[np.uint8]
"""Rows × columns × 3 (blue, green, red)."""

NO_TEXT = "no text on this page (a scan?)"
NOTHING = "nothing could be recognised on this page"
DAMAGED = "this page is damaged"

MAX_PIXELS = 6_000_000
"""What a picture is reduced to before it is read: a large sheet of paper at 200 dots per inch."""
# So much has a dot of ink to differ from the paper, and so many dots has the least sign.
_CONTRAST = 40
_DOTS = 12


def has_ink(picture: Picture) -> bool:
    """Whether anything on a picture differs from its ground."""
    ground = np.median(picture[::8, ::8].reshape(-1, 3), axis=0).astype(np.int16)
    dots = 0
    # In strips, so that the comparison needs no second picture.
    for top in range(0, len(picture), 256):
        strip = picture[top : top + 256].astype(np.int16)
        dots += int((np.abs(strip - ground).max(axis=2) > _CONTRAST).sum())
        if dots >= _DOTS:
            return True
    return False


def recognised(picture: Picture) -> Recognised | None:
    """The text on a picture; None if next to nothing could be read. The networks are loaded with the first one."""
    from desktop_rag.documents.recognise import recognise

    return recognise(picture)


def read_picture(picture: Picture, number: int) -> Page | UnreadPage:
    """The page that a picture shows."""
    if not has_ink(picture):
        return UnreadPage(number, None, BLANK)
    found = recognised(picture)
    return UnreadPage(number, None, NOTHING) if found is None else found.page(number)
