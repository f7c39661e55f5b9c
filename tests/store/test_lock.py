"""One owner per data directory, told by name to the second one; a dead owner keeps nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desktop_rag import paths
from desktop_rag.errors import StoreError
from desktop_rag.store import lock
from desktop_rag.store.lock import acquire

if TYPE_CHECKING:
    from collections.abc import Iterator

HOLDER = """
import sys, time
from pathlib import Path
from desktop_rag.store.lock import acquire
held = acquire(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def holder() -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock of this test's data directory."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(paths.data_dir())], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_the_second_process_is_told_who_holds_it(holder: subprocess.Popen[str]) -> None:
    with pytest.raises(StoreError) as caught:
        acquire(paths.data_dir())
    assert caught.value.code == "locked"
    assert f"process {holder.pid}" in caught.value.message


def test_the_terminal_leaves_with_code_5_and_names_the_holder(holder: subprocess.Popen[str]) -> None:
    started = time.monotonic()
    result = subprocess.run(
        [sys.executable, "-m", "desktop_rag", "documents", "--json"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 5, result.stderr
    error = json.loads(result.stdout)["error"]
    assert error["code"] == "locked"
    assert str(holder.pid) in error["message"]
    assert time.monotonic() - started < 10, "it waited for the holder"


def test_a_dead_holder_s_lock_is_taken_over(holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    with acquire(paths.data_dir()):
        assert json.loads((paths.data_dir() / "lock").read_text()) == {"pid": os.getpid()}


def test_a_holder_that_leaves_in_time_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = iter([False, False, True])
    monkeypatch.setattr(lock, "_try_lock", lambda handle: next(tries))
    acquire(paths.data_dir()).close()
    assert list(tries) == []


def test_closing_gives_it_back() -> None:
    for _ in range(2):
        acquire(paths.data_dir()).close()


@pytest.mark.parametrize("left", ["", "garbage", "[]", '{"other": 1}'])
def test_a_lock_file_without_a_name_still_refuses(holder: subprocess.Popen[str], left: str) -> None:
    (paths.data_dir() / "lock").write_text(left)
    with pytest.raises(StoreError) as caught:
        acquire(paths.data_dir())
    assert caught.value.code == "locked"


def test_a_folder_that_cannot_be_written_is_read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = paths.data_dir()

    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(StoreError) as caught:
        acquire(folder)
    assert caught.value.code == "read_only"
    assert "Read-only file system" in caught.value.message
