"""Memory figures: of living processes, and of mapped model files page by page."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from desktop_rag.meter.memory import mapped_mb, resident_mb

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
