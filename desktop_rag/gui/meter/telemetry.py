"""What the meter knows: the answer that runs, the last ones, and what each took. Fed by the events of answers."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop_rag.meter.record import stages_of

_KEPT_ANSWERS = 12
_KEPT_POINTS = 1200


@dataclass(slots=True, eq=False)
class Trace:
    """One answer as it was measured: (seconds, tok/s) while it was written, its `done` event afterwards."""

    started: float = field(default_factory=time.monotonic)
    points: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_KEPT_POINTS))
    prefill: list[tuple[float, float]] = field(default_factory=list)
    first: float | None = None
    done: dict[str, Any] = field(default_factory=dict)
    _last: tuple[float, int] | None = None

    @property
    def usage(self) -> dict[str, Any]:
        """The numbers of the finished answer."""
        return dict(self.done.get("usage") or {})

    @property
    def limit(self) -> float | None:
        """The roofline in tok/s, told from the share that was reached."""
        speed, share = self.usage.get("decode_tps"), self.usage.get("roofline_fraction")
        return float(speed) / float(share) if speed and share else None

    def token(self, event: Mapping[str, Any]) -> None:
        """Some tokens came: the speed since the ones before."""
        at, count = event.get("seconds"), event.get("generated")
        if event.get("ttft_s") is not None:
            self.first = float(event["ttft_s"])
        if at is None or count is None:
            return
        if self._last is not None and float(at) > self._last[0] and int(count) > self._last[1]:
            speed = (int(count) - self._last[1]) / (float(at) - self._last[0])
            # A single event of 30 ms jumps about; a person reads the trend.
            before = self.points[-1][1] if self.points else speed
            self.points.append((float(at), 0.7 * before + 0.3 * speed))
        self._last = (float(at), int(count))


class Telemetry(QObject):
    """`moved` when an answer went on, `ended` when one was measured to its end."""

    moved = Signal()
    ended = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.now = Trace()
        self.past: deque[Trace] = deque(maxlen=_KEPT_ANSWERS)
        self.running = False
        self.model: dict[str, Any] = {}

    def set_running(self, running: bool) -> None:
        """An answer began or ended."""
        self.running = running
        if running:
            self.now = Trace()
        self.moved.emit()

    def set_model(self, event: dict[str, Any]) -> None:
        """A model was loaded."""
        self.model = dict(event)
        self.moved.emit()

    def set_energy(self, joules: float) -> None:
        """What the last answer took, in joules."""
        if self.last is not None:
            self.last.done = {**self.last.done, "energy_j": joules}
            self.moved.emit()

    def measure(self, event: dict[str, Any]) -> None:
        """Take a `prefill`, `token` or `done` event."""
        kind = event.get("event")
        if kind == "prefill" and event.get("tok_s"):
            self.now.prefill.append((float(event.get("seconds") or 0), float(event["tok_s"])))
        elif kind == "token":
            self.now.token(event)
        elif kind == "done" and was_measured(event.get("usage")):
            self.now.done = event
            self.past.append(self.now)
            self.ended.emit()
        self.moved.emit()

    @property
    def last(self) -> Trace | None:
        """The last answer that was measured to its end."""
        return self.past[-1] if self.past else None


def was_measured(usage: Mapping[str, Any] | None) -> bool:
    """Whether a model wrote something: an answer that needed none leaves the last numbers standing."""
    return bool(usage and (usage.get("generated_tokens") or usage.get("decode_tps")))


def stages(done: Mapping[str, Any]) -> dict[str, float]:
    """Milliseconds until the first token by stage, in order; stages that took nothing are left out."""
    found = {name: value for name, value in stages_of(done).items() if name != "decode"}
    first = (done.get("usage") or {}).get("ttft_s")
    if "prefill" not in found and first:
        found["prefill"] = float(first) * 1000
    return found
