"""What the window needs from the rest of the application, as protocols: two workers and `answer`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

Event = dict[str, Any]


class Worker(Protocol):
    """One child process of one role, as `desktop_rag.workers.client.WorkerClient` offers it."""

    on_state: Callable[[str], None] | None

    @property
    def hello(self) -> dict[str, Any] | None:
        """The handshake of the running process {protocol, role, pid, capabilities, seal}."""

    @property
    def pid(self) -> int | None:
        """The process, while one runs."""

    @property
    def busy(self) -> bool:
        """Whether any request has not ended yet."""

    def start(self) -> None:
        """Start the process without waiting for it."""

    def stream(self, op: str, **args: Any) -> Iterator[Event]:
        """The events of one request; closing the iterator cancels it."""

    def call(self, op: str, **args: Any) -> Event:
        """Run a request to its end; the fields of its last event."""

    def cancel(self) -> None:
        """Ask the process to stop all it is doing."""

    def kill(self) -> None:
        """End the process at once; the next request starts a new one."""


class Backend(Protocol):
    """Everything behind the window."""

    @property
    def library(self) -> Worker:
        """The worker that owns documents, index, vault and conversations."""

    @property
    def chat(self) -> Worker:
        """The worker that holds the language model."""

    def answer(self, question: str, *, collection: str | None, conversation: str | None) -> Iterator[Event]:
        """The events of one question, from `stored` to `done`."""

    def close(self) -> None:
        """Stop both workers."""
