"""The real processes behind two downloads of the window: what stops one stops no other, and all end together."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from desktop_rag.errors import DesktopRagError
from desktop_rag.gui.app import WorkersBackend
from desktop_rag.gui.backend import Event, Worker
from desktop_rag.settings import Settings
from tests.models.misbehaving import Answer, Server, serving

pytestmark = [pytest.mark.loopback, pytest.mark.slow]
BODY = bytes(range(256)) * 400
SHA = hashlib.sha256(BODY).hexdigest()
PATIENCE = 20.0  # a bound to detect a hang, not a measurement


@pytest.fixture
def server() -> Iterator[Server]:
    yield from serving()


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[WorkersBackend]:
    opened = WorkersBackend(tmp_path, Settings(tmp_path))
    yield opened
    opened.close()


class Download:
    """One running download: its thread, how far it came, and how it ended."""

    def __init__(self, worker: Worker, url: str, name: str) -> None:
        self.worker = worker
        self.arrived = threading.Event()
        self.done: Event = {}
        self.error: DesktopRagError | None = None
        args = {"url": url, "name": name, "sha256": SHA, "size": len(BODY)}
        self.thread = threading.Thread(target=self._run, args=(args,))
        self.thread.start()

    def _run(self, args: dict[str, Any]) -> None:
        try:
            for event in self.worker.stream("download", **args):
                if event.get("received"):
                    self.arrived.set()
                self.done = event
        except DesktopRagError as error:
            self.error = error

    def ended(self) -> bool:
        self.thread.join(PATIENCE)
        return not self.thread.is_alive()


def begin(backend: WorkersBackend, server: Server, name: str) -> Download:
    """A download that stands still after its first half until the server wakes up."""
    url = server.put(f"/{name}", Answer(BODY, stall_after=len(BODY) // 2), Answer(BODY))
    return Download(backend.network("download"), url, name)


def test_a_download_that_is_stopped_or_killed_leaves_the_other_alone(backend: WorkersBackend, server: Server) -> None:
    one, two, three = (begin(backend, server, name) for name in ("one.gguf", "two.gguf", "three.gguf"))
    for download in (one, two, three):
        assert download.arrived.wait(PATIENCE), "they run at the same time"
    one.worker.cancel()
    two.worker.kill()
    assert two.ended()
    server.wake.set()
    assert one.ended()
    assert three.ended()
    assert one.error is not None
    assert two.error is not None
    assert (three.error, three.done.get("sha256")) == (None, SHA)
    left = {row["name"]: row["received"] for row in backend.models.call("list", fits=False)["unfinished"]}
    assert left.pop("three.gguf") == len(BODY)
    assert set(left) == {"one.gguf", "two.gguf"}
    assert all(0 < received < len(BODY) for received in left.values())


def test_sealing_again_ends_every_one_of_them(backend: WorkersBackend, server: Server) -> None:
    downloads = [begin(backend, server, name) for name in ("one.gguf", "two.gguf")]
    assert all(download.arrived.wait(PATIENCE) for download in downloads)
    pids = [download.worker.pid for download in downloads]
    backend.leave_network()
    assert all(download.ended() and download.error is not None for download in downloads)
    assert not any(pid is None or psutil.pid_exists(pid) for pid in pids)
