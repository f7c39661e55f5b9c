"""The workers a measurement needs, as it sees them. The terminal and the window bring the real ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

Event = dict[str, Any]


class Worker(Protocol):
    """One role's process (`desktop_rag.workers.client.WorkerClient`)."""

    @property
    def pid(self) -> int | None:
        """The running process's id."""
        ...

    def stream(self, op: str, **args: Any) -> Iterator[Event]:
        """Events of one operation, the last one being "done"."""
        ...

    def call(self, op: str, **args: Any) -> Event:
        """The "done" event of one operation."""
        ...

    def cancel(self) -> None:
        """Ask the process to stop what it is doing; the streams end by themselves."""
        ...

    def close(self) -> None:
        """End the process."""
        ...


class Team(Protocol):
    """The workers of a session (`desktop_rag.workers.crew.Workers`)."""

    data_dir: Path

    def fresh(self, role: str) -> Worker:
        """A new process of a role; whoever asks closes it."""
        ...

    def network(self, purpose: str, *, opened: bool = False) -> Worker:
        """The process that may hold sockets for one purpose."""
        ...

    def leave_network(self, purpose: str | None = None) -> None:
        """End the network process of a purpose."""
        ...
