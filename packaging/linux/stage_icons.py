"""The application's icon in the sizes that desktops ask for, drawn from its SVG by Qt."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer


def draw(drawing: str, icons: str, *sizes: str) -> None:
    """Write `icons`/48x48/apps/desktop-rag.png and so on."""
    application = QGuiApplication([])
    renderer = QSvgRenderer(drawing)
    for size in map(int, sizes):
        image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        renderer.render(painter)
        painter.end()
        path = Path(icons) / f"{size}x{size}/apps/desktop-rag.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not image.save(str(path)):
            raise SystemExit(f"{path} cannot be written")
    del application
