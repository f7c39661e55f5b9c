"""The meter strip: speed, share of the limit, first token, memory and context, in fields whose width never changes."""

from __future__ import annotations

from typing import Any

import psutil  # type: ignore[import-untyped]
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QFontMetrics, QHideEvent, QMouseEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.backend import Backend
from desktop_rag.gui.meter.readings import process_ids
from desktop_rag.gui.meter.sparkline import Sparkline
from desktop_rag.gui.meter.telemetry import was_measured
from desktop_rag.gui.pieces.buttons import IconButton
from desktop_rag.gui.pieces.labels import line, set_kind, set_tone
from desktop_rag.gui.theme import Theme
from desktop_rag.meter.memory import resident_mb

_POLL_MS = 250
# Memory changes slowly, and asking for it takes time from the model: every so many looks.
_RUNNING_POLLS, _IDLE_POLLS = 4, 8
_SCARCE = 0.04  # of all memory: from here on the system begins to swap, and an answer takes minutes
_MEMORY_TIP = "Memory of all processes: weights of the model, key-value memory of the conversation, everything else"
_SCARCE_TIP = "Memory is nearly full. Choose a smaller model or a shorter context."
HEIGHT = 32


class MeterStrip(QWidget):
    """Fed by the events of an answer; shows speed four times a second and memory once, while an answer runs.

    `opened()` when it is clicked: the performance page says where the numbers come from.
    """

    opened = Signal()

    def __init__(self, theme: Theme, backend: Backend, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_kind(self, "surface")
        self.setFixedHeight(HEIGHT)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("Meter")
        self._theme, self._backend = theme, backend
        self._weights: float | None = None
        self._kv: float | None = None
        self._speed_now: float | None = None
        self._running = False
        self._drawn = False
        self._polls = 0
        self._open = IconButton(theme, "gauge", "Performance", self.opened.emit)
        self.spark = Sparkline(theme)
        self._speed = self._field(
            "    — tok/s", "0000.0 tok/s read", "Speed of writing; of reading until the first word"
        )
        self._limit = self._field("— of limit", "100 % of limit", "Share of what this machine can do: not measured yet")
        self._first = self._field("— to first", "00.0 s to first", "Time from your question to the first word")
        self._memory = self._field("— MB", "00.0 GB: model 000 MB · KV 000 MB · app 000 MB", _MEMORY_TIP)
        self._context = self._field("context —", "context 00\u202f000/00\u202f000", "Tokens in the model's context")
        self._build()
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._poll)

    def _field(self, text: str, widest: str, tip: str) -> QLabel:
        field = QLabel(text)
        font = self._theme.font("small", mono=True)
        field.setFont(font)
        field.setStyleSheet(f"font-family: '{font.family()}'; font-size: {font.pixelSize()}px;")
        field.setProperty("tone", "muted")
        field.setToolTip(tip)
        field.setAccessibleName(tip)
        field.setMinimumWidth(QFontMetrics(font).horizontalAdvance(widest) + 2)
        return field

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 0, 16, 0)
        row.setSpacing(8)
        row.addWidget(self._open)
        row.addWidget(self.spark)
        fields: list[QWidget] = [self._speed, self._limit, self._first, self._memory]
        for index, field in enumerate(fields):
            if index:
                row.addWidget(_divider())
            row.addWidget(field)
        row.addStretch(1)
        row.addWidget(self._context)

    def spoken(self) -> str:
        """Every field in one line."""
        return " · ".join(
            field.text() for field in (self._speed, self._limit, self._first, self._memory, self._context)
        )

    # -- events of an answer -------------------------------------------------------------------

    def set_running(self, running: bool) -> None:
        """An answer began or ended."""
        self._running = running
        if running:
            self._drawn = False
            self._speed_now = None
            self._polls = 0

    def measure(self, event: dict[str, Any]) -> None:
        """Take a `prefill`, `token` or `done` event."""
        if event.get("event") == "prefill":
            self._show_reading(event)
            return
        usage = event.get("usage") or {}
        if not was_measured(usage):
            usage = {}
        self._speed_now = usage.get("decode_tps") if usage else event.get("tok_s") or self._speed_now
        if usage:
            self._show_speed()
        first = usage.get("ttft_s") if usage else event.get("ttft_s")
        if first is not None and (text := f"{first:.1f} s to first") != self._first.text():
            self._first.setText(text)
        if usage:
            self._show_usage(usage)
        if event.get("memory_mb"):
            self._show_memory(event["memory_mb"])

    def set_context(self, total: int | None) -> None:
        """The size of the context of the model that was loaded."""
        if total:
            self._context.setText(f"context 0/{words.count(total)}")

    def _show_reading(self, event: dict[str, Any]) -> None:
        """The prompt is read and nothing is written yet: how fast."""
        if event.get("tok_s"):
            self._speed.setText(f"{float(event['tok_s']):5.0f} tok/s read")

    def _show_speed(self) -> None:
        if self._speed_now is not None:
            if not self._drawn:
                # Not sooner: an answer that needs no model leaves the line of the last one beside its numbers.
                self.spark.clear()
                self._drawn = True
            self._speed.setText(f"{self._speed_now:5.1f} tok/s")
            self.spark.add(self._speed_now)

    def _show_usage(self, usage: dict[str, Any]) -> None:
        share = usage.get("roofline_fraction")
        self._limit.setText("— of limit" if share is None else f"{share * 100:.{0 if share >= 0.1 else 1}f} % of limit")
        tip = "not measured yet" if share is None else "of the speed the memory of this machine allows"
        self._limit.setToolTip(f"Share of what this machine can do: {tip}")
        if usage.get("context"):
            used = int(usage.get("context_used") or 0)
            self._context.setText(f"context {words.count(used)}/{words.count(int(usage['context']))}")

    def _show_memory(self, memory: dict[str, Any]) -> None:
        self._weights, self._kv = memory.get("weights") or self._weights, memory.get("kv") or self._kv
        self._poll(at_once=True)

    # -- memory --------------------------------------------------------------------------------

    def _poll(self, at_once: bool = False) -> None:
        self._polls += 1
        if self._running and not at_once:
            self._show_speed()
        if not at_once and self._polls % (_RUNNING_POLLS if self._running else _IDLE_POLLS) != 1:
            return
        total = sum(resident_mb(pid) or 0.0 for pid in set(process_ids(self._backend).values()))
        text = words.memory(total)
        if self._weights:
            model, kv = float(self._weights), float(self._kv or 0)
            rest = max(0.0, total - model - kv)
            text += f": model {words.memory(model)} · KV {words.memory(kv)} · app {words.memory(rest)}"
        self._memory.setText(text)
        self._warn()

    def _warn(self) -> None:
        """Red only when something needs doing."""
        free = psutil.virtual_memory()
        scarce = free.available < _SCARCE * free.total
        if scarce != (self._memory.property("tone") == "bad"):
            set_tone(self._memory, "bad" if scarce else "muted")
            self._memory.setToolTip(_SCARCE_TIP if scarce else _MEMORY_TIP)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click anywhere on the strip opens the page behind it."""
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.opened.emit()

    def showEvent(self, event: QShowEvent) -> None:
        """Begin to measure."""
        super().showEvent(event)
        self._poll()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop measuring."""
        super().hideEvent(event)
        self._timer.stop()


def _divider() -> QWidget:
    divider = line(vertical=True)
    divider.setFixedHeight(12)
    return divider
