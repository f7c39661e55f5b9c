"""Private files: whole or not at all, readable by their owner only."""

from __future__ import annotations

import errno
import os
import stat
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop_rag.errors import StoreError
from desktop_rag.store.files import write_private

if TYPE_CHECKING:
    from pathlib import Path


@given(contents=st.lists(st.binary(max_size=2000), min_size=1, max_size=3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_the_last_content_is_there_and_nothing_beside_it(tmp_path: Path, contents: list[bytes]) -> None:
    path = tmp_path / "new folder" / "file"
    for content in contents:
        write_private(path, content)
    assert path.read_bytes() == contents[-1]
    assert list(path.parent.iterdir()) == [path]
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "disk_full"), (errno.EROFS, "read_only"), (errno.EACCES, "read_only")]
)
@pytest.mark.parametrize("step", ["fsync", "open"])
def test_a_failure_keeps_the_old_content_and_leaves_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str, step: str
) -> None:
    path = tmp_path / "file"
    write_private(path, b"old")

    def fail(*arguments: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(StoreError) as caught:
        write_private(path, b"new")
    monkeypatch.undo()
    assert caught.value.code == code
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_name_changes_hands_only_after_the_content_is_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_private(path, b"old")
    seen: list[bytes] = []
    fsync = os.fsync

    def watch(handle: int) -> None:
        seen.append(path.read_bytes())
        fsync(handle)
        seen.append(path.read_bytes())

    monkeypatch.setattr(os, "fsync", watch)
    write_private(path, b"new")
    assert seen == [b"old", b"old"]
