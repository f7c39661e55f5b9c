"""Where the window stands: as it was left, and at first no larger than the screen."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QByteArray, QSize
from PySide6.QtWidgets import QWidget

from desktop_rag.errors import StoreError
from desktop_rag.store.files import write_private

FIRST_SIZE = QSize(1280, 800)
_FRAME = QSize(8, 44)
_FILE = "window.place"


def restore(window: QWidget, data_dir: Path) -> None:
    """Give the window the place it was left in; Qt moves it where that screen is gone."""
    with suppress(OSError):
        if window.restoreGeometry(QByteArray((data_dir / _FILE).read_bytes())):
            return
    # The system adds the frame to what is asked for: a window as large as the screen would hide its lower edge.
    room = window.screen().availableSize() - _FRAME
    window.resize(FIRST_SIZE.boundedTo(room).expandedTo(window.minimumSize()))


def keep(window: QWidget, data_dir: Path) -> None:
    """Note its place for the next start, where there is a data directory that can be written."""
    if data_dir.is_dir():
        with suppress(StoreError):
            write_private(data_dir / _FILE, bytes(window.saveGeometry().data()))
