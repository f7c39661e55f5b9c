"""`privacy seal` and `privacy egress` on the command line."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from typing import TYPE_CHECKING, Any

import pytest

from desktop_rag.cli import seal
from desktop_rag.cli.output import Output
from desktop_rag.errors import EngineError
from desktop_rag.privacy import egress
from desktop_rag.workers.main import SEALED_ROLES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import CommandLine


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system enforces nothing")
def test_every_sealed_role_is_asked_and_none_could_connect(cli: CommandLine) -> None:
    ran = cli("privacy", "seal", "--json")
    assert ran.code == 0, ran.stderr
    roles = ran.json["roles"]
    assert set(roles) == {*SEALED_ROLES, "parse"}
    assert ran.json["sealed"] is True
    refused = {"call": "connect to 127.0.0.1:9 (IPv4)", "result": "refused", "errno": "EACCES"}
    for role, proof in roles.items():
        assert (proof["seal"], proof["sealed"]) == ("seccomp", True), role
        assert proof["attempts"][0] == refused
    log = cli("privacy", "egress", "--json").json
    assert (log["connections"], log["rows"][0]["what"]) == (0, "begun")
    assert log["since"] == log["rows"][0]["at"]


class _Worker:
    """Answers as it is told."""

    def __init__(self, role: str, answer: Callable[[], dict[str, Any]]) -> None:
        self.role, self._answer = role, answer

    def call(self, op: str, **_args: Any) -> dict[str, Any]:
        assert op == "prove"
        return {"event": "done", "id": 1, "children": {}, **self._answer()}

    def close(self) -> None:
        """Nothing runs."""


class _Workers:
    """All sealed but for what `odd` says."""

    def __init__(self, data_dir: Path, odd: dict[str, Callable[[], dict[str, Any]]]) -> None:
        self.data_dir, self._odd = data_dir, odd
        self.library = self.fresh("library")

    def fresh(self, role: str) -> _Worker:
        return _Worker(role, self._odd.get(role, lambda: _proof(True)))


def _proof(sealed: bool) -> dict[str, Any]:
    result = "refused" if sealed else "connected"
    attempts = [{"call": "connect to 127.0.0.1:9 (IPv4)", "result": result, "errno": "EACCES" if sealed else None}]
    return {"seal": "seccomp", "sealed": sealed, "words": "As it is.", "attempts": attempts}


def _lost() -> dict[str, Any]:
    raise EngineError("crashed", "The chat process stopped unexpectedly.")


@pytest.mark.parametrize(
    ("odd", "code"),
    [({}, 0), ({"bench": lambda: _proof(False)}, 1), ({"chat": _lost}, 1)],
    ids=["all sealed", "one connects", "one is lost"],
)
def test_the_exit_code_is_that_of_the_weakest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], odd: dict[str, Any], code: int
) -> None:
    workers: Any = _Workers(tmp_path, odd)
    assert seal.run_seal(workers, Namespace(), Output(as_json=True)) == code
    told = json.loads(capsys.readouterr().out)
    assert told["sealed"] is (code == 0)
    assert {role for role, proof in told["roles"].items() if not proof["sealed"]} == set(odd)
    assert ("error" in told["roles"]["chat"]) == ("chat" in odd)
    assert "children" not in told["roles"]["library"]
    assert seal.run_seal(workers, Namespace(), Output(as_json=False)) == code
    page = capsys.readouterr().out
    assert ("NOT sealed: it can open connections" in page) == ("bench" in odd)


def test_the_log_names_servers_and_counts_what_was_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = egress.Log(tmp_path, "network", "download")
    log.begin()
    log.permitted("connection", "models.example", "192.0.2.1", 443)
    for _ in range(3):
        egress.Log(tmp_path, "library").stopped("socket", "some.module")
    workers: Any = _Workers(tmp_path, {})
    assert seal.run_egress(workers, Namespace(), Output(as_json=False)) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.startswith("1 connection since ")
    assert head.endswith("1 kind of attempt refused")
    assert {line.strip().split("  ", 1)[1] for line in lines} == {
        "Network: connection models.example:443 permitted: search and download of models",
        "Library: socket refused: this process is sealed; some.module tried (3 times)",
    }
