"""The big numbers of the performance page, in fields whose width never changes."""

from __future__ import annotations

from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from desktop_rag.gui.meter.telemetry import Trace
from desktop_rag.gui.pieces.labels import ElidedLabel, label
from desktop_rag.gui.theme import Theme


class Tile(QFrame):
    """One number, and what it counts."""

    def __init__(self, theme: Theme, name: str, tip: str) -> None:
        super().__init__()
        self.setProperty("kind", "soft")
        self.setToolTip(tip)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._name = name
        self._value = label("—")
        font = theme.font("display", mono=True)
        self._value.setStyleSheet(f"font-family: '{font.family()}'; font-size: {font.pixelSize()}px;")
        self._value.setMinimumWidth(QFontMetrics(font).horizontalAdvance("000.0"))
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 10, 10)
        column.setSpacing(0)
        column.addWidget(self._value)
        column.addWidget(ElidedLabel(name, "small", "muted"))
        self.show_value(None)

    def show_value(self, value: float | None, digits: int = 1) -> None:
        """A number, or "—" where nothing was measured."""
        self._value.setText("—" if value is None else f"{value:.{digits}f}")
        self.setAccessibleName(f"{self._value.text()} {self._name}")

    @property
    def text(self) -> str:
        """What it shows."""
        return self._value.text()


class Tiles(QWidget):
    """Writing, reading, first word, share of the limit."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.decode = Tile(theme, "tok/s written", "Tokens a second once the first one is there")
        self.prefill = Tile(theme, "tok/s of the prompt read", "Tokens a second of what had to be read anew")
        self.first = Tile(theme, "seconds to the first word", "From your question on")
        self.share = Tile(theme, "per cent of the limit", "The limit of this machine: how fast its memory can be read")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        for tile in (self.decode, self.prefill, self.first, self.share):
            row.addWidget(tile, 1)

    def show_trace(self, trace: Trace | None) -> None:
        """The numbers of an answer, as far as they are known."""
        usage = trace.usage if trace else {}
        speed = usage.get("decode_tps") or (trace.points[-1][1] if trace and trace.points else None)
        reading = usage.get("prefill_tps") or (trace.prefill[-1][1] if trace and trace.prefill else None)
        share = usage.get("roofline_fraction")
        self.decode.show_value(speed)
        self.prefill.show_value(reading, 0)
        self.first.show_value(usage.get("ttft_s") or (trace.first if trace else None))
        self.share.show_value(None if share is None else share * 100, 0 if share is None or share >= 0.1 else 1)
