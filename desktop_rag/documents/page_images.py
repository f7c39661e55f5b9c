"""Pages of a PDF or a picture as they look: how large each is, and each drawn for a screen."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from desktop_rag.documents.formats import detect
from desktop_rag.documents.limits import DEFAULT_LIMITS
from desktop_rag.documents.pictures import MAX_PIXELS, Picture
from desktop_rag.documents.source import Source
from desktop_rag.errors import DocumentError

Size = tuple[float, float]
"""Width and height in points of a page as displayed; a picture has 96 dots per inch."""

_LONGEST = 1_000_000.0
_PAPER = (595.0, 842.0)
"""What a damaged page among sound ones is given, so that it keeps its place."""


def page_sizes(source: Source, password: str | None = None) -> list[Size]:
    """The size of every page. Raises DocumentError "not_found", "encrypted", "too_large" or "unreadable"."""
    with errors_said():
        if detect(source) == "image":
            return _picture_sizes(source)
        return _pdf_sizes(source, password)


def page_image(source: Source, page_number: int, width: int, password: str | None = None) -> Picture:
    """Page `page_number` (from 1), `width` dots wide, or fewer where it has no more or would take too much memory.

    Raises DocumentError as `page_sizes` does.
    """
    with errors_said():
        if detect(source) == "image":
            return _picture_image(source, page_number, width)
        return _pdf_image(source, page_number, width, password)


@contextmanager
def errors_said() -> Iterator[None]:
    """What goes wrong with a file or in pdfium, as a DocumentError "not_found" or "unreadable"."""
    from desktop_rag.documents.parsers.pdf_open import PdfiumError

    try:
        yield
    except FileNotFoundError as failure:
        raise DocumentError(
            "not_found", "The file is not there any more.", "It may have been moved, renamed or deleted."
        ) from failure
    except (OSError, PdfiumError) as failure:
        raise DocumentError("unreadable", "The page could not be opened.", "The file may be damaged.") from failure


def check_page(number: int, count: int) -> None:
    """Raise DocumentError "not_found" for a page that a file of `count` pages does not have."""
    if not 1 <= number <= count:
        raise DocumentError("not_found", f"The file has no page {number}.", "It may have changed.")


def _pdf_sizes(source: Source, password: str | None) -> list[Size]:
    from desktop_rag.documents.parsers.pdf_open import opened

    with opened(source, password) as document:
        _check_count(len(document))
        return [_pdf_size(document, index) for index in range(len(document))]


def _pdf_size(document: Any, index: int) -> Size:
    from desktop_rag.documents.parsers.pdf_open import PdfiumError

    try:
        width, height = document.get_page_size(index)
    except PdfiumError:
        return _PAPER
    return _sane(width), _sane(height)


def _sane(side: float) -> float:
    """A page may say of itself that it is of any size, or none."""
    return min(max(1.0, float(side)), _LONGEST)


def _pdf_image(source: Source, page_number: int, width: int, password: str | None) -> Picture:
    import numpy as np
    import pypdfium2.raw as raw  # type: ignore[import-untyped]

    from desktop_rag.documents.parsers.pdf_notes import open_form
    from desktop_rag.documents.parsers.pdf_open import opened

    with opened(source, password) as document:
        check_page(page_number, len(document))
        open_form(document)
        page = document[page_number - 1]
        across, down = (_sane(side) for side in page.get_size())
        scale = min(width / across, math.sqrt(MAX_PIXELS / (across * down)))
        bitmap = page.render(scale=scale, force_bitmap_format=raw.FPDFBitmap_BGR)
        try:
            return np.array(bitmap.to_numpy(), dtype=np.uint8)
        finally:
            bitmap.close()


def _picture_sizes(source: Source) -> list[Size]:
    from desktop_rag.documents.parsers.image import frames, opened

    with opened(source, DEFAULT_LIMITS) as image:
        count = frames(image)
        _check_count(count)
        return [_picture_size(image, index) for index in range(count)]


def _picture_size(image: Any, index: int) -> Size:
    from desktop_rag.documents.parsers.image import POINTS_PER_PIXEL, size_of

    try:
        width, height = size_of(image, index)
    except DocumentError:
        return _PAPER
    return width * POINTS_PER_PIXEL, height * POINTS_PER_PIXEL


def _picture_image(source: Source, page_number: int, width: int) -> Picture:
    import numpy as np
    from PIL import Image

    from desktop_rag.documents.parsers.image import frames, opened, picture_of

    with opened(source, DEFAULT_LIMITS) as image:
        check_page(page_number, frames(image))
        picture, _ = picture_of(image, page_number - 1)
    across, down = picture.shape[1], picture.shape[0]
    if width >= across:
        return picture
    size = width, max(1, round(down * width / across))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0))


def _check_count(count: int) -> None:
    if count > DEFAULT_LIMITS.max_pages:
        raise DocumentError("too_large", f"The file has {count:,} pages; so many are not shown as pages.")
