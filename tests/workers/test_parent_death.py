"""No worker outlives its parent, however the parent ended."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from desktop_rag import paths

if TYPE_CHECKING:
    from collections.abc import Iterator

PROMISED_SECONDS = 2.0

PARENT = """
import sys, time
from pathlib import Path
from desktop_rag.workers.crew import Workers
workers = Workers(Path(sys.argv[1]))
workers.library.call("doctor")   # starts its own child, the reader of files
workers.chat.call("status")
print(workers.library.pid, workers.chat.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", PARENT, str(paths.data_dir())], stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


@pytest.mark.slow
def test_workers_and_their_children_leave_when_the_parent_is_killed(parent: subprocess.Popen[str]) -> None:
    assert parent.stdout is not None
    named = {int(pid) for pid in parent.stdout.readline().split()}
    workers = psutil.Process(parent.pid).children(recursive=True)
    assert named < {process.pid for process in workers}, "library, chat and the library's reader"
    parent.kill()
    _, alive = psutil.wait_procs(workers, PROMISED_SECONDS)
    assert not alive
