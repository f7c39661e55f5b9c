"""The installed application notices that it was removed or replaced while it ran, before it starts a worker."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from desktop_rag.errors import EngineError
from desktop_rag.workers import program
from desktop_rag.workers.client import WorkerClient

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An executable as the package installs it."""
    executable = tmp_path / "desktop-rag"
    executable.write_bytes(b"one")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(executable))
    monkeypatch.setattr(program, "_STARTED", program._identity())
    return executable


def test_it_starts_its_workers_by_itself(installed: Path) -> None:
    assert program.worker_command("library") == [str(installed), "worker", "library"]
    program.check_unchanged()


def test_it_says_that_it_was_removed(installed: Path) -> None:
    installed.unlink()
    client = WorkerClient("library", [])
    with pytest.raises(EngineError, match="was removed while it was running") as raised:
        client.call("documents")
    assert "install it again" in raised.value.hint
    client.close()


def test_it_says_that_it_was_replaced(installed: Path) -> None:
    other = installed.with_name("new")
    other.write_bytes(b"two")
    other.replace(installed)
    with pytest.raises(EngineError, match="was replaced while it was running"):
        program.check_unchanged()


def test_from_source_nothing_is_watched() -> None:
    assert program._identity() is None
    program.check_unchanged()


def test_root_is_told_from_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for number, root in ((0, True), (1000, False)):
        monkeypatch.setattr("os.geteuid", lambda number=number: number, raising=False)
        assert program.is_root() is root
