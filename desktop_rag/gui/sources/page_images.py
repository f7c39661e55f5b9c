"""The pages of one document, drawn by the library's reader and fetched one at a time, as they come into view.

What arrives is plain dots: the window neither opens the user's file nor decodes a picture.
"""

from __future__ import annotations

import binascii
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

from PySide6.QtCore import QObject, QSizeF, Signal
from PySide6.QtGui import QImage

from desktop_rag.errors import DesktopRagError, DocumentError
from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.tasks import Tasks

_MAX_DOTS = 16_000_000


class PageImages(QObject):
    """`arrived(page, width, image)` for each page that was asked for, `failed(error)` for one that cannot be had.

    Pages count from 0; `sizes` are in points. `file` is {document, as_of}: a document in a state of its file.
    """

    arrived = Signal(int, int, QImage)
    failed = Signal(object)

    def __init__(self, backend: Backend, tasks: Tasks, file: Event, sizes: Iterable[Sequence[float]]) -> None:
        super().__init__()
        self.file = file
        self.sizes = [QSizeF(width, height) for width, height in sizes]
        self._backend, self._tasks = backend, tasks
        self._busy = False
        self._broken: set[int] = set()

    def ask(self, page: int, width: int) -> None:
        """Fetch a page that many dots wide, unless another one is on its way: then it is worth asking again later."""
        if self._busy or page in self._broken:
            return
        self._busy = True
        request = {**self.file, "page": page + 1, "width": width}
        self._tasks.call(
            lambda: {"image": _fetched(self._backend, request)},
            done=lambda event: self._arrived(page, width, event["image"]),
            failed=lambda error: self._failed(page, error),
        )

    def is_broken(self, page: int) -> bool:
        """Whether a page was asked for in vain."""
        return page in self._broken

    def _arrived(self, page: int, width: int, image: QImage) -> None:
        self._busy = False
        self.arrived.emit(page, width, image)

    def _failed(self, page: int, error: DesktopRagError) -> None:
        self._busy = False
        self._broken.add(page)
        self.failed.emit(error)


def _fetched(backend: Backend, request: dict[str, Any]) -> QImage:
    unpacker, dots, last = zlib.decompressobj(), bytearray(), Event()
    try:
        for last in backend.library.stream("page_image", **request):
            if last.get("event") == "piece":
                room = 3 * _MAX_DOTS + 1 - len(dots)
                dots += unpacker.decompress(binascii.a2b_base64(last["data"]), room) if room > 0 else b""
    except (binascii.Error, zlib.error) as error:
        raise _unusable() from error
    return _image(dots, int(last.get("width") or 0), int(last.get("height") or 0))


def _image(dots: bytearray, width: int, height: int) -> QImage:
    if width <= 0 or len(dots) != 3 * width * height or len(dots) > 3 * _MAX_DOTS:
        raise _unusable()
    # Converted, it has memory of its own and is painted fastest.
    return QImage(bytes(dots), width, height, 3 * width, QImage.Format.Format_BGR888).convertToFormat(
        QImage.Format.Format_RGB32
    )


def _unusable() -> DocumentError:
    return DocumentError("unreadable", "The page could not be drawn.", "Open the document again.")
