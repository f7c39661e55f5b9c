"""The proof of the seal in the real processes, idle and busy, and what the one that may connect writes down."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from desktop_rag import paths
from desktop_rag.errors import NetworkError, StoreError
from desktop_rag.privacy import egress
from desktop_rag.workers.crew import Workers
from desktop_rag.workers.main import SEALED_ROLES
from tests.engines.misbehaving import hello, misbehaving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system enforces nothing")


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers(paths.data_dir())
    yield made
    made.close()


@linux_only
@pytest.mark.slow
@pytest.mark.parametrize("role", [role for role in SEALED_ROLES if role != "library"])
def test_every_sealed_role_proves_it(workers: Workers, role: str) -> None:
    worker = workers.fresh(role)
    try:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setblocking(False)
            proof = worker.call("prove", port=listener.getsockname()[1])
            with pytest.raises(BlockingIOError):
                listener.accept()
    finally:
        worker.close()
    assert proof["sealed"] is True, proof["attempts"]
    assert proof["children"] == {}
    assert "local only" not in str(proof["attempts"]), "only the library needs the keyring"


@linux_only
@pytest.mark.slow
def test_the_library_proves_its_reader_too(workers: Workers) -> None:
    proof = workers.library.call("prove")
    assert proof["sealed"] is True, proof["attempts"]
    assert proof["children"] == {"parse": {}}, "none is started for it"
    reader = workers.library.call("prove", start=True)["children"]["parse"]
    assert reader["sealed"] is True, reader["attempts"]
    assert workers.library.call("prove")["children"]["parse"]["sealed"] is True
    assert "local only" not in str(reader["attempts"])


@linux_only
@pytest.mark.slow
def test_a_model_that_writes_proves_it_between_two_words(workers: Workers) -> None:
    words = workers.chat.stream("complete", prompt="Tell me a long story.", max_tokens=400)
    for event in words:
        if event["event"] == "token":
            break
    proof = workers.chat.call("prove")
    after = next(words)
    assert proof["sealed"] is True, proof["attempts"]
    assert after["event"] == "token", "it was still writing"
    words.close()


@linux_only
@pytest.mark.slow
def test_real_work_needs_nothing_that_was_refused(workers: Workers, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("Jean Rivera checks the pump every month.\n")
    assert workers.library.call("add", paths=[str(note)], review=False)["documents"][0]["state"] == "ready"
    workers.chat.call("complete", prompt="Name a fruit.", max_tokens=2)
    log = egress.summary(egress.read(workers.data_dir))
    assert log.since is not None
    assert log.connections == []
    assert {row["what"] for row in log.refused} <= {"socket"}, "something wanted to connect"


@pytest.mark.loopback
def test_a_connection_of_the_network_role_has_its_line(workers: Workers) -> None:
    with misbehaving(chat=hello) as server:
        worker = workers.network("loopback")
        worker.call("load", url=server.url)
        port = int(server.url.rsplit(":", 1)[1].split("/")[0])
        assert worker.call("prove", port=port)["sealed"] is False, "this one may connect, and does not deny it"
        with pytest.raises(NetworkError):
            worker.call("load", url="http://192.0.2.1:8000")
    log = egress.summary(egress.read(workers.data_dir))
    assert {(row["host"], row["port"], row["purpose"]) for row in log.connections} == {("127.0.0.1", port, "loopback")}
    assert [(row["host"], row["port"], row["reason"]) for row in log.refused] == [("192.0.2.1", 8000, egress.OUTSIDE)]


def test_what_the_sealed_application_refuses_is_written_down(workers: Workers) -> None:
    with pytest.raises(NetworkError):
        workers.network("remote_model").call("status")
    (row,) = egress.summary(egress.read(workers.data_dir)).refused
    assert (row["role"], row["purpose"], row["reason"]) == ("network", "remote_model", "the application is sealed")


def test_where_nothing_can_be_written_down_nothing_is_connected(workers: Workers) -> None:
    (workers.data_dir / egress.FOLDER).write_text("a file where the folder should be")
    with pytest.raises(StoreError):
        workers.network("loopback").ready()


@linux_only
def test_no_other_process_looks_into_the_one_that_may_connect() -> None:
    code = "import ctypes; from desktop_rag.privacy.dumps import forbid_inspection; forbid_inspection();"
    code += "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "0"


def test_the_window_and_the_terminal_open_no_socket_either() -> None:
    code = """
import sys
sys.argv = ["desktop-rag", "--version"]
from desktop_rag.__main__ import main
try:
    main()
except SystemExit:
    pass
import socket
from desktop_rag.errors import NetworkError
for call in (lambda: socket.socket(), lambda: socket.getaddrinfo("localhost", 80)):
    try:
        call()
    except NetworkError as error:
        print(error.code)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split()[-2:] == ["sealed", "sealed"]
