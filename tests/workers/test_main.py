"""The start of a worker: what goes wrong before the handshake is told in words, never as a traceback."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import psutil  # type: ignore[import-untyped]
import pytest

from desktop_rag import paths
from desktop_rag.cli import main as cli
from desktop_rag.errors import DesktopRagError, EngineError, StoreError, UsageError
from desktop_rag.workers import client
from desktop_rag.workers.client import WorkerClient

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN = """
import sys
from desktop_rag.workers import main
main._ROLES["odd"] = sys.argv[1]
sys.exit(main.run("odd", {"data_dir": sys.argv[2]}))
"""


@pytest.fixture
def make() -> Iterator[Any]:
    made: list[WorkerClient] = []

    def make(role: str) -> WorkerClient:
        made.append(WorkerClient(role, ["--data-dir", str(paths.data_dir())]))
        return made[-1]

    yield make
    for worker in made:
        worker.close()


def failure(worker: WorkerClient) -> DesktopRagError:
    with pytest.raises(DesktopRagError) as caught:
        worker.ready()
    return caught.value


def test_the_handshake_says_who_answers_and_how_it_is_sealed(make: Any) -> None:
    worker = make("parse")
    worker.ready()
    assert worker.hello | {"seal": ""} == {
        "event": "hello",
        "protocol": 1,
        "role": "parse",
        "pid": worker.pid,
        "capabilities": ["locate", "locate_all", "page_image", "page_sizes", "read"],
        "seal": "",
    }
    assert worker.hello["seal"] in ("seccomp", "audit")


@pytest.fixture
def dumps_allowed() -> Iterator[None]:
    """This process, and what it starts, may write core files."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_CORE)
    if not before[1]:
        pytest.skip("core files are forbidden here already")
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


@pytest.mark.usefixtures("dumps_allowed")
@pytest.mark.skipif(sys.platform != "linux", reason="another process's limits are seen on Linux only")
def test_a_crash_of_a_worker_leaves_no_core_file(make: Any) -> None:
    worker = make("parse")
    worker.ready()
    assert psutil.Process(worker.pid).rlimit(psutil.RLIMIT_CORE)[0] == 0


@pytest.mark.usefixtures("dumps_allowed")
def test_nor_does_a_crash_of_the_window_or_the_terminal_face() -> None:
    import resource

    assert cli.run(["serve", "--json"]) == 2
    assert resource.getrlimit(resource.RLIMIT_CORE)[0] == 0


def test_an_unknown_role_is_a_wrong_request(make: Any) -> None:
    assert isinstance(failure(make("poet")), UsageError)


@pytest.mark.parametrize(("module", "code"), [("desktop_rag.workers.nowhere", "start_failed"), ("json", "bug")])
def test_a_part_that_is_missing_or_broken_is_told(
    make: Any, monkeypatch: pytest.MonkeyPatch, module: str, code: str
) -> None:
    command = [sys.executable, "-c", RUN, module, str(paths.data_dir())]
    monkeypatch.setattr(client, "worker_command", lambda role: command)
    error = failure(make("odd"))
    assert error.code == code
    assert str(paths.data_dir()) not in str(error.to_payload())
    if code == "start_failed":
        assert isinstance(error, EngineError)
        assert module in error.message


def test_a_library_that_cannot_be_opened_says_so_at_every_request(make: Any) -> None:
    (paths.data_dir() / "library.db").write_bytes(b"not ours")
    worker = make("library")
    for _ in range(2):
        with pytest.raises(StoreError) as caught:
            worker.call("collections")
        assert caught.value.code == "wrong_key"
