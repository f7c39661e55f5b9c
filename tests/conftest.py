"""What holds for every test: folders of its own, no network, nothing left running."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from desktop_rag.offline import set_environment

# Before any library reads them at import time.
set_environment()
# As in the processes that find personal data: threads of small multiplications get in each other's way.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

GRACE_SECONDS = 3.0
LOOPBACK = ("127.", "::1", "localhost")


class NetworkGuard:
    """Refuses and notes every attempt to reach an internet address, also from threads and behind a broad `except`."""

    def __init__(self) -> None:
        self.attempts: list[str] = []
        self.loopback_open = False

    def watch(self, event: str, arguments: tuple[Any, ...]) -> None:
        """The audit hook; it stays for the life of the process, as hooks do."""
        if event in ("socket.connect", "socket.sendto"):
            opened, address = arguments
            if opened.family in (socket.AF_INET, socket.AF_INET6):
                self._refuse(str(address[0]))
        elif event == "socket.getaddrinfo" and arguments[0]:
            host = arguments[0]
            self._refuse(host.decode(errors="replace") if isinstance(host, bytes) else str(host))

    def _refuse(self, host: str) -> None:
        if self.loopback_open and host.startswith(LOOPBACK):
            return
        self.attempts.append(host)
        raise ConnectionRefusedError(f"tests have no network, but something asked for {host}")


_guard = NetworkGuard()
sys.addaudithook(_guard.watch)


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Data, configuration and cache in a temporary folder, so that no test sees or touches the user's own."""
    root = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("DESKTOP_RAG_DATA_DIR", str(root / "data"))
    monkeypatch.setenv("DESKTOP_RAG_CONFIG_DIR", str(root / "config"))
    monkeypatch.setenv("DESKTOP_RAG_CACHE_DIR", str(root / "cache"))
    monkeypatch.delenv("DESKTOP_RAG_PASSPHRASE_FILE", raising=False)
    return root


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest) -> Iterator[NetworkGuard]:
    """Fail the test that caused a connection attempt, even if the attempt's error was swallowed.

    `@pytest.mark.loopback` opens this machine's own addresses; a test that provokes attempts on
    purpose takes this fixture, asserts on `attempts` and clears it.
    """
    _guard.attempts.clear()
    _guard.loopback_open = request.node.get_closest_marker("loopback") is not None
    yield _guard
    _guard.loopback_open = False
    attempts = list(_guard.attempts)
    _guard.attempts.clear()
    if attempts:
        pytest.fail(f"connection attempts: {', '.join(attempts)}")


@pytest.fixture(autouse=True, scope="module")
def nothing_left_running() -> Iterator[None]:
    """Fail if a test module leaves child processes or non-daemon threads behind; leftover processes are killed."""
    processes = set(psutil.Process().children(recursive=True))
    threads = set(threading.enumerate())
    yield
    left = [process for process in psutil.Process().children(recursive=True) if process not in processes]
    _, alive = psutil.wait_procs([process for process in left if not _belongs_to_python(process)], GRACE_SECONDS)
    problems = [f"process {process.pid} {_command(process)}" for process in alive]
    for process in alive:
        process.kill()
    for thread in set(threading.enumerate()) - threads:
        if not thread.daemon:
            thread.join(GRACE_SECONDS)
            if thread.is_alive():
                problems.append(f"thread {thread.name}")
    if problems:
        pytest.fail(f"left running: {'; '.join(problems)}")


@pytest.fixture
def server() -> Iterator[SimpleNamespace]:
    """A server on this machine that counts who comes; a test that may reach it is marked `loopback`."""
    hits: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hits.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Nothing is printed."""

    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield SimpleNamespace(url=f"http://127.0.0.1:{running.server_port}", hits=hits)
        running.shutdown()
        thread.join()


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def _belongs_to_python(process: psutil.Process) -> bool:
    return "multiprocessing.resource_tracker" in _command(process)
