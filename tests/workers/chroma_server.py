"""A real Chroma server in a folder of its own, with a listener between that keeps every byte it is sent."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

_START_SECONDS = 60.0
_BLOCK = 1 << 16


@dataclass
class ChromaServer:
    """One server at `url`, reached through the listener; `sent` is what it was sent so far."""

    folder: Path
    port: int = 0
    listening: int = 0
    sent: bytearray = field(default_factory=bytearray)
    silent: bool = False
    """Takes connections and says nothing any more."""
    seen: Callable[[bytes], None] = lambda _block: None
    """Told of every block that is sent, before it is passed on."""
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listening}"

    def start(self) -> None:
        """Start it on what lies in its folder; waits until it answers."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [str(Path(sys.executable).with_name("chroma")), "run", "--path", str(self.folder)]
        self.process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "ANONYMIZED_TELEMETRY": "False"},
        )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v2/heartbeat", timeout=1).close()
                return
            time.sleep(0.05)
        raise AssertionError("the Chroma server did not start")

    def stop(self) -> None:
        """End it; the listener stays, and refuses."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
        self.process = None

    def _pass_on(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            if self.silent:
                while block := client.recv(_BLOCK):
                    self.sent += block
                return
            with socket.create_connection(("127.0.0.1", self.port)) as server:
                back = threading.Thread(target=_copy, args=(server, client), daemon=True)
                back.start()
                while block := client.recv(_BLOCK):
                    self.sent += block
                    self.seen(block)
                    server.sendall(block)
                server.shutdown(socket.SHUT_WR)
                back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while block := source.recv(_BLOCK):
            target.sendall(block)


@contextlib.contextmanager
def listening(folder: Path) -> Iterator[ChromaServer]:
    """A server that is still to be started; it and its listener are gone at the end."""
    server = ChromaServer(folder)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server.listening = listener.getsockname()[1]

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    threading.Thread(target=server._pass_on, args=(client,), daemon=True).start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield server
        finally:
            server.stop()
            listener.shutdown(socket.SHUT_RDWR)
    accepting.join()
