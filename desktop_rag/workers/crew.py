"""The child processes one window or one terminal command holds, a client for each role."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from weakref import WeakSet

from desktop_rag.workers.client import WorkerClient


class Workers:
    """The children a window or a terminal session holds; each starts with its first request.

    `environment`: variables that are set for them only. `opening`: when the library opens, see `workers.unlocking`.
    """

    def __init__(self, data_dir: Path, environment: Mapping[str, str] | None = None, opening: str = "now") -> None:
        self._shared = ["--data-dir", str(data_dir)]
        self._environment = environment
        self._made: WeakSet[WorkerClient] = WeakSet()
        self.data_dir = data_dir
        self.library = self._new("library", [*self._shared, "--opening", opening])
        self.chat = self.fresh("chat")
        self.models = self.fresh("models")
        self.bench = self.fresh("bench")
        self._network: dict[str, tuple[bool, WorkerClient]] = {}

    def fresh(self, role: str, *more: str) -> WorkerClient:
        """Another disposable process of a role, with `more` arguments; whoever asks for it closes it."""
        return self._new(role, [*self._shared, *more], disposable=True)

    @property
    def running(self) -> list[WorkerClient]:
        """Every child that runs now, whoever asked for it, in the order of their start."""
        return sorted((client for client in list(self._made) if client.pid is not None), key=lambda one: one.pid or 0)

    def network(self, purpose: str, *, opened: bool = False) -> WorkerClient:
        """The process that may hold sockets for one purpose: one of `network_service.PURPOSES`.

        `opened` tells that a person allowed it just now. It is the process that refuses while the
        application is sealed; `leave_network` ends it with its purpose.
        """
        held = self._network.get(purpose)
        if held is None or held[0] != opened:
            self.leave_network(purpose)
            more = ["--purpose", purpose, *(["--opened"] if opened else [])]
            held = self._network[purpose] = opened, self.fresh("network", *more)
        return held[1]

    def leave_network(self, purpose: str | None = None) -> None:
        """End the network process of a purpose, or all of them."""
        for name in [purpose] if purpose else list(self._network):
            if (held := self._network.pop(name, None)) is not None:
                held[1].close()

    def close(self) -> None:
        """End every child."""
        self.leave_network()
        for client in (self.bench, self.models, self.chat, self.library):
            client.close()

    def _new(self, role: str, arguments: list[str], *, disposable: bool = False) -> WorkerClient:
        client = WorkerClient(role, arguments, disposable=disposable, environment=self._environment)
        self._made.add(client)
        if role == "chat":
            # Both cores belong to the model while it writes: what it says is waited for, an index is not.
            client.on_busy = self.library.give_way
        return client
