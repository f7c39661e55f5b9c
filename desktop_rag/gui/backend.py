"""What the window needs from the rest of the application, as protocols: workers, `answer` and the benchmark."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

Event = dict[str, Any]


class Worker(Protocol):
    """One child process of one role, as `desktop_rag.workers.client.WorkerClient` offers it."""

    role: str
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

    def cancel(self, op: str | None = None) -> None:
        """Ask the process to stop all it is doing, or every request for one operation."""

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

    @property
    def models(self) -> Worker:
        """The worker that reads, converts and places models."""

    @property
    def running(self) -> Sequence[Worker]:
        """Every worker that has a process now, whoever asked for it, those of the network among them."""

    @property
    def answering(self) -> Worker:
        """The worker that writes answers now: `chat`, or the network's while a remote model is asked."""

    def load(self) -> Event:
        """Make ready what the settings say shall answer: {model, name, engine, device, context, …}."""

    def network(self, purpose: str) -> Worker:
        """A worker of its own for one use of a purpose that a person allowed just now; `leave_network` ends it."""

    def leave_network(self, worker: Worker | None = None) -> None:
        """End this network worker, or all of them, that of a remote model among them."""

    def answer(
        self, question: str, *, collection: str | None, conversation: str | None, strategy: str | None = None
    ) -> Iterator[Event]:
        """The events of one question, from `stored` to `done`; the strategy "whole" reads every passage."""

    def benchmark(self, engines: list[str]) -> Iterator[Event]:
        """The events of one benchmark: `progress`, one `row` per platform and option, `done` with the whole report."""

    def benchmarks(self, kind: str) -> list[Event]:
        """The records of earlier runs of a kind ("bench", "probe"), newest first: {at, result, …}."""

    def probe(self, engines: list[str]) -> Iterator[Event]:
        """The events of probing what engines can do: one `probe` each, with its evidence."""

    def evaluate(self, folder: Path) -> Iterator[Event]:
        """The events of measuring the search by a judged set: `progress`, then `done` with its figures."""

    def selftest(self) -> Iterator[Event]:
        """The events of the self-test of privacy: `progress`, then `done` with the figures."""

    def egress(self) -> list[Event]:
        """The lines of the egress log, oldest first: see `desktop_rag.privacy.egress`."""

    def close(self) -> None:
        """Stop every worker."""
