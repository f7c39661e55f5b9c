"""The egress log: nothing is connected without its line, and nothing private stands in one."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from desktop_rag.errors import StoreError
from desktop_rag.privacy import egress

CONNECT = """
import json, os, socket, sys
from desktop_rag.errors import NetworkError, StoreError
from desktop_rag.privacy import egress
folder, port, inside, step = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "inside", sys.argv[4]
from pathlib import Path
log = egress.Log(Path(folder), "network", "loopback" if inside else "remote_model")
log.begin()
egress.watch(log, this_machine_only=inside)
if step == "unwritable":
    (Path(folder) / egress.FOLDER).rename(Path(folder) / "gone")
    (Path(folder) / egress.FOLDER).write_text("a file where the folder was")

def attempt(call):
    try:
        call().close()
    except (NetworkError, StoreError, OSError) as error:
        return getattr(error, "code", type(error).__name__)
    return "connected"

steps = {
    "literal": lambda: socket.create_connection(("127.0.0.1", port)),
    "named": lambda: socket.create_connection(("localhost", port)),
    "unwritable": lambda: socket.create_connection(("127.0.0.1", port)),
    "outside": lambda: socket.create_connection(("192.0.2.1", 443), timeout=0.01),
    "look-up": lambda: socket.create_connection(("proof.invalid", 443)),
    "datagram": lambda: (s := socket.socket(socket.AF_INET, socket.SOCK_DGRAM), s.sendto(b"x", ("127.0.0.1", port)))[0],
}
print(attempt(steps[step]))
"""


@pytest.fixture(scope="module")
def port() -> Any:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def connect(data_dir: Path, port: int, step: str, where: str = "anywhere") -> str:
    command = [sys.executable, "-c", CONNECT, str(data_dir), str(port), where, step]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def noted(data_dir: Path) -> list[tuple[Any, ...]]:
    rows = egress.read(data_dir)
    assert rows[0]["what"] == egress.BEGUN
    return [(row["what"], row["allowed"], row["host"], row["address"], row["port"]) for row in rows[1:]]


def test_a_connection_has_its_line_with_time_purpose_and_reason(tmp_path: Path, port: int) -> None:
    assert connect(tmp_path, port, "literal") == "connected"
    assert noted(tmp_path) == [("connection", True, "127.0.0.1", "127.0.0.1", port)]
    row = egress.read(tmp_path)[1]
    assert (row["role"], row["purpose"], row["reason"]) == ("network", "remote_model", "questions to the remote model")
    assert egress.summary(egress.read(tmp_path)).since == egress.read(tmp_path)[0]["at"] <= row["at"]


def test_the_look_up_is_written_down_too_and_names_the_connection(tmp_path: Path, port: int) -> None:
    assert connect(tmp_path, port, "named") == "connected"
    assert ("look-up", True, "localhost", None, port) in noted(tmp_path)
    assert noted(tmp_path)[-1][:3] == ("connection", True, "localhost")
    assert noted(tmp_path)[-1][3] in ("127.0.0.1", "::1")


def test_a_datagram_is_a_connection(tmp_path: Path, port: int) -> None:
    assert connect(tmp_path, port, "datagram") == "connected"
    assert noted(tmp_path) == [("connection", True, "127.0.0.1", "127.0.0.1", port)]


def test_what_is_for_this_computer_only_goes_nowhere_else_and_says_so(tmp_path: Path, port: int) -> None:
    assert connect(tmp_path, port, "literal", "inside") == "connected"
    assert connect(tmp_path, port, "outside", "inside") == "sealed"
    assert connect(tmp_path, port, "look-up", "inside") == "sealed"
    assert [row[:3] for row in noted(tmp_path)] == [
        ("connection", True, "127.0.0.1"),
        ("connection", False, "192.0.2.1"),
        ("look-up", False, "proof.invalid"),
    ]


def test_without_its_line_nothing_is_connected(tmp_path: Path, port: int) -> None:
    assert connect(tmp_path, port, "unwritable") == "read_only"


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX systems")
def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    egress.Log(tmp_path, "network").begin()
    (path,) = (tmp_path / egress.FOLDER).iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_log_that_cannot_be_begun_is_told(tmp_path: Path) -> None:
    (tmp_path / egress.FOLDER).write_text("a file where the folder should be")
    with pytest.raises(StoreError):
        egress.Log(tmp_path, "network").begin()
    egress.Log(tmp_path, "library").stopped("socket", "some.module")


def test_lines_are_only_added_and_files_are_kept_for_two_years(tmp_path: Path) -> None:
    folder = tmp_path / egress.FOLDER
    folder.mkdir()
    for year in (2020, 2021, 2022):
        for month in range(1, 13):
            (folder / f"{year}-{month:02}.jsonl").write_text("{}\n")
    log = egress.Log(tmp_path, "network", "download")
    log.permitted("connection", "models.example", "192.0.2.1", 443)
    before = max(folder.iterdir()).read_bytes()
    log.begin()
    log.permitted("connection", "models.example", "192.0.2.1", 443)
    files = sorted(folder.iterdir())
    assert files[-1].read_bytes().startswith(before)
    assert len(files) == 24
    assert files[0].name == "2021-02.jsonl", "the oldest went"


def test_a_torn_line_hides_no_other(tmp_path: Path) -> None:
    log = egress.Log(tmp_path, "network", "download")
    log.begin()
    (path,) = (tmp_path / egress.FOLDER).iterdir()
    with path.open("a") as file:
        file.write('{"at": "2026\n[]\n7\n')
    log.permitted("connection", "models.example", "192.0.2.1", 443)
    assert [row["what"] for row in egress.read(tmp_path)] == ["begun", "connection"]


def test_a_library_that_tries_for_ever_does_not_fill_the_disk(tmp_path: Path) -> None:
    log = egress.Log(tmp_path, "library")
    log.begin()
    for _ in range(1200):
        log.stopped("socket", "some.module")
    refused = egress.summary(egress.read(tmp_path)).refused
    assert len(refused) == 1000
    assert [(row["reason"], times) for row, times in egress.kinds(refused)] == [
        ("this process is sealed; some.module tried", 1000)
    ]
    assert all(json.loads(json.dumps(row))["host"] is None for row in refused), "a document could have made it up"
