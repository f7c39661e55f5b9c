"""A PDF page as a picture, and what is the matter with a page that shows nothing."""

from __future__ import annotations

import math
from itertools import islice
from typing import Any

import numpy as np
import pypdfium2.raw as raw  # type: ignore[import-untyped]

from desktop_rag.documents.parsers.pdf_open import PdfiumError
from desktop_rag.documents.pictures import MAX_PIXELS, Picture
from desktop_rag.documents.source import Source

_DOTS_PER_POINT = 200 / 72
_MAX_SIDE = 8000
_TAIL = 2048
_TRIED = 8


def rendered(page: Any) -> Picture:
    """The page as displayed at 200 dots per inch, a larger sheet with fewer. Raises PdfiumError."""
    width, height = (max(side, 1.0) for side in page.get_size())
    scale = min(_DOTS_PER_POINT, math.sqrt(MAX_PIXELS / (width * height)), _MAX_SIDE / max(width, height))
    # What stands in the fields of a form is not guessed from their picture: the file says it.
    bitmap = page.render(scale=scale, force_bitmap_format=raw.FPDFBitmap_BGR, may_draw_forms=False)
    try:
        return np.array(bitmap.to_numpy(), dtype=np.uint8)
    finally:
        bitmap.close()


def is_empty(page: Any) -> bool:
    """Whether nothing at all is drawn on a page."""
    return int(raw.FPDFPage_CountObjects(page)) == 0


def is_broken(source: Source, document: Any, page: Any) -> bool:
    """Whether a page that shows nothing may have lost what was on it: the file's end or a picture is missing."""
    if not raw.FPDF_DocumentHasValidCrossReferenceTable(document):
        return True
    with source.open() as stream:
        stream.seek(max(0, source.size - _TAIL))
        if b"%%EOF" not in stream.read(_TAIL):
            return True
    return any(_is_lost(picture) for picture in islice(pictures(page), _TRIED))


def pictures(page: Any) -> Any:
    """The picture objects of a page, also those within forms."""
    return page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=2)


def _is_lost(picture: Any) -> bool:
    try:
        picture.get_bitmap().close()
    except PdfiumError:
        return True
    return False
