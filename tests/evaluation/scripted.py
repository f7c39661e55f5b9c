"""A team whose workers do as told, for what cannot be provoked in real ones: platforms that fail, texts that differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from desktop_rag.evaluation.team import Event

Script = dict[str, Callable[..., Event]]


class ScriptedWorker:
    """Answers each operation with its function's result; "complete" streams its text word by word."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.pid: int | None = None
        self.closed = False
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def stream(self, op: str, **args: Any) -> Iterator[Event]:
        self.asked.append((op, args))
        done = self.script[op](**args)
        words = str(done.get("text") or "").split()
        for number, word in enumerate(words):
            yield {"event": "token", "text": word + " ", "generated": number + 1}
        yield {"event": "done", **done}

    def call(self, op: str, **args: Any) -> Event:
        last: Event = {}
        for event in self.stream(op, **args):
            last = event
        return last

    def cancel(self) -> None:
        self.asked.append(("cancel", {}))

    def close(self) -> None:
        self.closed = True


class ScriptedTeam:
    """Hands out scripted workers and remembers them."""

    def __init__(self, data_dir: Path, scripts: dict[str, Script]) -> None:
        self.data_dir = data_dir
        self.scripts = scripts
        self.handed_out: list[ScriptedWorker] = []
        self.left: list[str | None] = []

    def fresh(self, role: str) -> ScriptedWorker:
        self.handed_out.append(ScriptedWorker(self.scripts[role]))
        return self.handed_out[-1]

    def network(self, purpose: str, *, opened: bool = False) -> ScriptedWorker:
        return self.fresh(f"network {purpose}")

    def leave_network(self, purpose: str | None = None) -> None:
        self.left.append(purpose)
