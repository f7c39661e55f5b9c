"""Bars painted from the tokens: parts of a whole with a gap between them, and the thin line of something under way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from desktop_rag.gui.pieces.labels import label
from desktop_rag.gui.theme import Theme
from desktop_rag.gui.tokens import Tokens

_LEAST = 3.0  # pixels: what is there is seen, however small


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a bar: `size` in any unit, `text` for the legend, colour by role and opacity (0 paints nothing)."""

    name: str
    size: float
    text: str
    role: str
    opacity: float = 1.0


def colour(kit: Tokens, part: Part) -> QColor:
    """The colour of a part on the ground of a card."""
    return QColor(kit.tint(part.role, part.opacity, "raised"))


class PartsBar(QWidget):
    """Parts of a whole, side by side; a part of no opacity is empty room."""

    def __init__(self, theme: Theme, name: str, height: int = 8, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._name = theme, name
        self._parts: list[Part] = []
        self._too_much = False
        self.setFixedHeight(height)
        self.setMinimumWidth(80)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)
        theme.watch(self.update)

    def show_parts(self, parts: Sequence[Part], *, too_much: bool = False) -> None:
        """Show these; `too_much` frames the bar as one that overflows."""
        self._parts, self._too_much = list(parts), too_much
        said = ", ".join(f"{part.name} {part.text}" for part in self._parts if part.text)
        self.setAccessibleName(f"{self._name}: {said}" if said else self._name)
        self.setToolTip("\n".join(f"{part.name}: {part.text}" for part in self._parts if part.text))
        self.update()

    @property
    def parts(self) -> list[Part]:
        """What is shown."""
        return self._parts

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it from the tokens."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        kit = self._theme.tokens
        whole = QRectF(self.rect())
        frame = QPainterPath()
        frame.addRoundedRect(whole, whole.height() / 2, whole.height() / 2)
        painter.setClipPath(frame)
        painter.fillRect(whole, QColor(kit.tint("bad" if self._too_much else "muted", 0.16, "raised")))
        left = 0.0
        for part, width in zip(self._parts, widths([part.size for part in self._parts], whole.width()), strict=True):
            if part.opacity > 0 and width > 0:
                area = QRectF(left, 0, max(1.0, width - 1), whole.height())
                shade = colour(kit, part)
                painter.fillRect(area, shade)
                if part.role == "muted":  # told apart without colour as well
                    painter.fillRect(
                        area, QBrush(QColor(kit.tint("muted", 0.75, "raised")), Qt.BrushStyle.BDiagPattern)
                    )
            left += width
        painter.setClipping(False)
        if self._too_much:
            painter.setPen(QColor(kit["bad"]))
            painter.drawPath(frame)


def widths(sizes: Sequence[float], room: float) -> list[float]:
    """How wide each part is in `room` pixels: in proportion, but never so narrow that it cannot be seen."""
    total = sum(sizes)
    if total <= 0:
        return [0.0 for _ in sizes]
    least = min(_LEAST, room / max(1, len(sizes)))
    small = [size > 0 and size / total * room < least for size in sizes]
    left = room - least * sum(small)
    rest = sum(size for size, tiny in zip(sizes, small, strict=True) if not tiny)
    return [least if tiny else (left * (size / rest) if rest else 0.0) for size, tiny in zip(sizes, small, strict=True)]


class Swatch(QWidget):
    """The little square of a legend."""

    def __init__(self, theme: Theme, part: Part, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._part = theme, part
        self.setFixedSize(QSize(9, 9))
        theme.watch(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it from the tokens."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        kit = self._theme.tokens
        painter.setPen(QColor(kit["line"] if self._part.opacity == 0 else kit["muted"]))
        if self._part.opacity:
            painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour(kit, self._part))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 2, 2)


def legend_entry(theme: Theme, part: Part) -> QWidget:
    """A square, a name and a number."""
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(6)
    row.addWidget(Swatch(theme, part))
    row.addWidget(label(part.name, "small", "muted"))
    row.addStretch(1)
    row.addWidget(number(theme, part.text))
    return holder


def number(theme: Theme, text: str, tone: str = "") -> QLabel:
    """A number in tabular figures, at the right of its row."""
    widget = label(text, "small", tone)
    font = theme.font("small", mono=True)
    widget.setStyleSheet(f"font-family: '{font.family()}'; font-size: {font.pixelSize()}px;")
    widget.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return widget


class ProgressLine(QWidget):
    """How far something is; without a share it only says that it goes on."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._share: float | None = None
        self.setFixedHeight(4)
        self.setAccessibleName(name)
        theme.watch(self.update)

    def set_share(self, share: float | None) -> None:
        """0..1, or None when nobody knows."""
        self._share = share
        self.setAccessibleDescription("" if share is None else f"{share * 100:.0f} %")
        self.update()

    @property
    def share(self) -> float | None:
        """What is shown."""
        return self._share

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it from the tokens."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        kit = self._theme.tokens
        painter.setBrush(QColor(kit["line"]))
        painter.drawRoundedRect(QRectF(self.rect()), 2, 2)
        painter.setBrush(QColor(kit["accent"] if self._share is not None else kit.tint("accent", 0.45)))
        share = 1.0 if self._share is None else min(1.0, max(0.02, self._share))
        painter.drawRoundedRect(QRectF(0, 0, self.width() * share, 4), 2, 2)
