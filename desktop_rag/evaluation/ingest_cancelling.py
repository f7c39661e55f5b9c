"""Pressing Cancel in the middle of a request, at a chosen moment of one of its phases."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from desktop_rag.errors import Cancelled, DesktopRagError, EngineError
from desktop_rag.evaluation.rounds import Round, Surroundings
from desktop_rag.evaluation.team import Event, Worker

_ENDED: Event = {"event": "ended"}
# A phase that has not begun after this time will not begin.
_PATIENCE_SECONDS = 180.0
Sign = Callable[[Event], bool]


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of one request: its signs of having begun (None: with the request) and of being over.

    `moments` are seconds after its beginning at which Cancel is pressed.
    """

    name: str
    op: str
    args: Callable[[], dict[str, Any]]
    begins: Sign | None
    over: Sign
    moments: tuple[float, ...] = ()

    def at(self, seconds: float, shares: tuple[float, ...]) -> Phase:
        """The phase with moments at these shares of its length."""
        return replace(self, moments=tuple(seconds * share for share in shares))


class _Request:
    """One request to a worker on a thread of its own, and when its events arrived."""

    def __init__(self, worker: Worker, phase: Phase) -> None:
        self._worker = worker
        self._phase = phase
        self._events: queue.Queue[tuple[float, Event]] = queue.Queue()
        self._error: DesktopRagError | None = None
        self._asked = self._ended = time.perf_counter()
        self._thread = threading.Thread(target=self._run, args=(phase.args(),), daemon=True, name="cancelled")
        self._thread.start()

    def _run(self, args: dict[str, Any]) -> None:
        try:
            for event in self._worker.stream(self._phase.op, **args):
                self._events.put((time.perf_counter(), event))
        except DesktopRagError as error:
            self._error = error
        self._ended = time.perf_counter()
        self._events.put((self._ended, _ENDED))

    def begun(self) -> float | None:
        """Wait until the phase begins; when that was, None if it never did."""
        return self._when(self._phase.begins) if self._phase.begins else self._asked

    def over(self) -> float | None:
        """Wait until the phase, which has begun, is over; when that was."""
        return self._when(self._ends)

    def is_over(self) -> bool:
        """Whether the phase is over by now."""
        while not self._events.empty():
            if self._ends(self._events.get()[1]):
                return True
        return False

    def cancel(self) -> float:
        """Press Cancel: the seconds until the request ended, be it that it came to its end first."""
        asked = time.perf_counter()
        self._worker.cancel()
        self._thread.join(_PATIENCE_SECONDS)
        if self._thread.is_alive():
            raise EngineError("hung", "The work did not stop when it was cancelled.", "Please report it.")
        if self._error is not None and not isinstance(self._error, Cancelled):
            raise self._error
        return max(0.0, self._ended - asked)

    def _ends(self, event: Event) -> bool:
        return event is _ENDED or self._phase.over(event)

    def _when(self, sign: Sign) -> float | None:
        """When the first event arrived of which this is true; None if the request ended before."""
        event: Event = {}
        while event is not _ENDED:
            try:
                at, event = self._events.get(timeout=_PATIENCE_SECONDS)
            except queue.Empty:
                return None
            if sign(event):
                return at
        return None


def stopped(worker: Worker, phase: Phase, after: float) -> Round | None:
    """Press Cancel `after` seconds into a phase; None if that was too late."""
    surroundings = Surroundings()
    request = _Request(worker, phase)
    begun = request.begun() is not None
    time.sleep(after if begun else 0.0)
    late = not begun or request.is_over()
    seconds = request.cancel()
    if late:
        return None
    return surroundings.around(seconds, {"phase": phase.name, "after_s": round(after, 3)})


def length(worker: Worker, phase: Phase) -> float:
    """How many seconds a phase takes; the request is cancelled at its end."""
    request = _Request(worker, phase)
    begun = request.begun()
    over = request.over() if begun is not None else None
    request.cancel()
    if begun is None or over is None:
        raise EngineError("hung", f"The work never came to this: {phase.name}.", "Try again.")
    return over - begun
