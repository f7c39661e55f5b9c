"""Memory figures: of living processes, and of mapped model files page by page."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from desktop_rag.meter.memory import mapped_mb, process_memory, resident_mb

if TYPE_CHECKING:
    from pathlib import Path


def test_this_process_is_resident_and_a_gone_one_is_not() -> None:
    own = resident_mb()
    assert own is not None
    assert 5 < own < 100_000
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert resident_mb(gone.pid) is None


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/smaps")
def test_only_the_pages_of_a_file_that_were_touched_count(tmp_path: Path) -> None:
    path = tmp_path / "weights (a b).gguf"
    path.write_bytes(os.urandom(4 << 20))
    assert mapped_mb(path) == 0
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert sum(mapped[at] for at in range(0, len(mapped), 4096)) > 0
        assert mapped_mb(path) == 4.0
    assert mapped_mb(path) == 0


def test_what_a_process_holds_alone_is_part_of_what_it_holds() -> None:
    own = process_memory()
    assert own is not None
    assert own["rss"] is not None
    assert own["uss"] is not None
    assert 5 < own["uss"] <= own["rss"] <= (own["peak_rss"] or 0)
    if sys.platform == "linux":
        assert own["pss"] is not None
        assert own["uss"] <= own["pss"] <= own["rss"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/smaps_rollup")
def test_written_memory_is_anonymous_and_a_mapped_file_is_not(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(os.urandom(16 << 20))
    before = process_memory()
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
        mmap.mmap(-1, 8 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as held,
    ):
        assert sum(mapped[at] for at in range(0, len(mapped), 4096)) > 0
        held.write(b"x" * len(held))
        after = process_memory()
    assert before is not None
    assert after is not None
    assert (after["rss"] or 0) - (before["rss"] or 0) > 20
    assert 7 < (after["anonymous"] or 0) - (before["anonymous"] or 0) < 20


def test_a_process_that_is_gone_holds_nothing() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert process_memory(gone.pid) is None
