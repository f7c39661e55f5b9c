"""Temporary folders: gone when done with, left alone while in use, removed when their process has ended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from desktop_rag import scratch
from desktop_rag.privacy.traces import written_files

_LEAVES_ONE = """
import os
from desktop_rag.scratch import kept_scratch
(kept_scratch("bench") / "file").write_text("x")
os._exit(1)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setenv("TEMP", str(folder))
    monkeypatch.setattr(scratch.tempfile, "tempdir", None)
    return folder


def test_a_folder_is_gone_afterwards(temporary: Path) -> None:
    with scratch.scratch("bench") as folder:
        (folder / "file").write_text("x")
        assert folder.parent == temporary
        assert scratch.abandoned() == []
        assert not any(path.is_relative_to(folder) for path in written_files(temporary / "data"))
    assert list(temporary.iterdir()) == []


def test_what_an_ended_process_left_is_looked_into_and_removed(temporary: Path) -> None:
    subprocess.run([sys.executable, "-c", _LEAVES_ONE], check=False)
    (left,) = scratch.abandoned()
    assert left / "file" in list(written_files(temporary / "data"))
    with scratch.scratch("bench") as own:
        assert list(temporary.iterdir()) == [own]


def test_another_process_with_the_same_number_keeps_nothing(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = scratch.kept_scratch("bench")
    assert scratch.abandoned() == []
    began = scratch.psutil.Process().create_time()
    monkeypatch.setattr(scratch.psutil.Process, "create_time", lambda _: began + 1e6)
    assert scratch.abandoned() == [folder]


def test_folders_of_others_and_links_stay(temporary: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (temporary / "desktop-rag-bench-1-x").symlink_to(tmp_path / "elsewhere")
    (temporary / "desktop-ragged").mkdir()
    scratch.clear_abandoned()
    assert len(list(temporary.iterdir())) == 2
