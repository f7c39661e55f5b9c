"""One request on a worker, timed from outside: what whoever asked saw, pipe included."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from desktop_rag.errors import EngineError
from desktop_rag.evaluation.team import Event, Worker


@dataclass(slots=True)
class Watch:
    """Times a stream of events while somebody else consumes it. Seconds since the request was sent."""

    begun: float = field(default_factory=time.perf_counter)
    text: list[str] = field(default_factory=list)
    events: int = 0
    first: float | None = None
    last: float = 0.0
    ended: float = 0.0
    first_generated: int = 0
    last_generated: int = 0
    done: Event = field(default_factory=dict)

    def over(self, events: Iterable[Event]) -> Iterator[Event]:
        """The same events, looked at on their way."""
        for event in events:
            now = time.perf_counter() - self.begun
            if event.get("event") == "token":
                self._token(event, now)
            elif event.get("event") == "done":
                self.done, self.ended = event, now
            yield event

    def _token(self, event: Event, now: float) -> None:
        self.events += 1
        self.text.append(str(event.get("text") or ""))
        self.last, self.last_generated = now, int(event.get("generated") or 0)
        if self.first is None:
            self.first, self.first_generated = now, self.last_generated

    @property
    def usage(self) -> dict[str, Any]:
        """What the worker itself says about the request."""
        return dict(self.done.get("usage") or {})

    @property
    def decode_seconds(self) -> float:
        """From the first token's arrival to the last one's."""
        return 0.0 if self.first is None else self.last - self.first

    @property
    def decode_tps(self) -> float:
        """Tokens a second between the first and the last arrival. Raises EngineError where nothing was decoded."""
        if self.decode_seconds <= 0 or self.last_generated <= self.first_generated:
            raise EngineError("start_failed", "The model wrote too little to tell its speed.")
        return (self.last_generated - self.first_generated) / self.decode_seconds


def watched(worker: Worker, op: str, **args: Any) -> Watch:
    """Run one operation to its end."""
    watch = Watch()
    for _ in watch.over(worker.stream(op, **args)):
        pass
    return watch


def greedy(prompt: str | Sequence[Mapping[str, str]], *, max_tokens: int, ignore_end: bool = False) -> dict[str, Any]:
    """The arguments of `complete` for one greedy answer to a question, or to the last of some messages.

    `ignore_end` makes it exactly `max_tokens` long.
    """
    sampling = {"temperature": 0.0, **({"ignore_end": True} if ignore_end else {})}
    messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else [dict(m) for m in prompt]
    return {"messages": messages, "sampling": sampling, "max_tokens": max_tokens}


def peak_rss_mb(pid: int | None) -> float | None:
    """The most memory a process ever had resident, in MiB; None where the system keeps no such count."""
    if pid is None:
        return None
    try:
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1024, 1)
    except OSError:
        pass
    try:
        peak = getattr(psutil.Process(pid).memory_info(), "peak_wset", None)
    except psutil.Error:
        return None
    return None if peak is None else round(peak / 2**20, 1)
