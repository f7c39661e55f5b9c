"""The child processes one window or one terminal command holds, a client for each role."""

from __future__ import annotations

from pathlib import Path

from desktop_rag.workers.client import WorkerClient


class Workers:
    """The children a window or a terminal session holds; each starts with its first request."""

    def __init__(self, data_dir: Path) -> None:
        self._shared = ["--data-dir", str(data_dir)]
        self.data_dir = data_dir
        self.library = WorkerClient("library", self._shared)
        self.chat = self.fresh("chat")
        self.models = self.fresh("models")
        self.bench = self.fresh("bench")
        self._network: dict[str, tuple[bool, WorkerClient]] = {}

    def fresh(self, role: str, *more: str) -> WorkerClient:
        """Another disposable process of a role, with `more` arguments; whoever asks for it closes it."""
        return WorkerClient(role, [*self._shared, *more], disposable=True)

    def network(self, purpose: str, *, opened: bool = False) -> WorkerClient:
        """The process that may hold sockets for one purpose: "download", "remote_model" or "loopback".

        `opened` tells that a person allowed it just now. It is the process that refuses while the
        application is sealed; `leave_network` ends it with its purpose.
        """
        held = self._network.get(purpose)
        if held is None or held[0] != opened:
            self.leave_network(purpose)
            arguments = [*self._shared, "--purpose", purpose, *(["--opened"] if opened else [])]
            held = self._network[purpose] = opened, WorkerClient("network", arguments, disposable=True)
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
