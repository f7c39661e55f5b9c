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


def icon(name: str, colour: str, disabled: str, size: int, room: int = 0) -> QIcon:
    """A Qt icon with a normal and a disabled colour, crisp from 100 % to 300 %.

    `room` is empty space at the right, in logical pixels: what parts an icon from the words of a button.
    """
    result = QIcon()
    for scale in _SCALES:
        result.addPixmap(_roomy(pixmap(name, colour, size, scale), room, scale), QIcon.Mode.Normal)
        result.addPixmap(_roomy(pixmap(name, disabled, size, scale), room, scale), QIcon.Mode.Disabled)
    return result


def _roomy(picture: QPixmap, room: int, scale: float) -> QPixmap:
    if not room:
        return picture
    wide = QPixmap(picture.width() + round(room * scale), picture.height())
    wide.setDevicePixelRatio(scale)
    wide.fill(Qt.GlobalColor.transparent)
    painter = QPainter(wide)
    painter.drawPixmap(0, 0, picture)
    painter.end()
    return wide
