"""The icons: one family of SVG strokes (Lucide, ISC licence), recoloured from the tokens when they are loaded."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from desktop_rag import paths

STROKE = "1.75"
_SCALES = (1, 2, 3)


@cache
def _source(name: str) -> str:
    return (paths.assets_dir() / "icons" / f"{name}.svg").read_text(encoding="utf-8")


def pixmap(name: str, colour: str, size: int, scale: float = 1.0) -> QPixmap:
    """The icon drawn in `colour` at `size` logical pixels for a screen of `scale` device pixels each."""
    svg = _source(name).replace("currentColor", colour).replace('stroke-width="2"', f'stroke-width="{STROKE}"')
    picture = QPixmap(round(size * scale), round(size * scale))
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, picture.width(), picture.height()))
    painter.end()
    picture.setDevicePixelRatio(scale)
    return picture


def icon(name: str, colour: str, disabled: str, size: int) -> QIcon:
    """A Qt icon with a normal and a disabled colour, crisp from 100 % to 300 %."""
    result = QIcon()
    for scale in _SCALES:
        result.addPixmap(pixmap(name, colour, size, scale), QIcon.Mode.Normal)
        result.addPixmap(pixmap(name, disabled, size, scale), QIcon.Mode.Disabled)
    return result
