"""Runnable threads tell how many cores a process would fill, whatever else the machine does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from desktop_rag.evaluation.ingest_cores import runnable, share, watching

ON_LINUX = Path("/proc/self/task").is_dir()


def test_threads_beyond_the_cores_fill_no_more() -> None:
    assert share([1, 2, 4, 1], 2) == pytest.approx(6 / 8)


def test_nothing_seen_is_no_figure() -> None:
    assert share([], 2) is None
    assert share([0, 0], 2) is None


@pytest.mark.skipif(not ON_LINUX, reason="only Linux tells what threads do")
def test_a_working_process_is_told_from_an_idle_one() -> None:
    idle = "import sys; print(flush=True); sys.stdin.read()"
    busy = "print(flush=True)\nwhile True: pass"
    for code, expected in ((idle, 0), (busy, 1)):
        with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()
            with watching(child.pid) as counts:
                while len(counts) < 4:
                    os.sched_yield()
            child.kill()
        assert counts[-1] == expected


def test_a_process_that_is_gone_runs_nothing() -> None:
    assert runnable(-1) == 0
