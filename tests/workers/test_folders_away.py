"""Drives that fail, do not answer or are away while a folder is looked at: nothing is lost, and it is said why."""

from __future__ import annotations

import errno
import os
import shutil
import time
from typing import TYPE_CHECKING, Any

import pytest

from desktop_rag.workers import folders, rows
from tests.workers.driving import run
from tests.workers.test_folders import changes, names, sync, write

if TYPE_CHECKING:
    from pathlib import Path

    from desktop_rag.workers.library import Library

pytestmark = pytest.mark.slow
ALL = ["heating.md", "lease.txt", "note.txt"]


@pytest.fixture
def folder(library: Library, tmp_path: Path) -> dict[str, Any]:
    """A watched folder with files in it and in two folders below, looked at once."""
    library.settings.set("review", False)
    root = tmp_path / "papers"
    write(root / "lease.txt", "The lease begins in March and is paid monthly.\n")
    write(root / "drive" / "heating.md", "# Heating\n\nThe boiler is serviced every October.\n")
    write(root / "other" / "note.txt", "The spare key is kept with the caretaker.\n")
    watched = folders.watch(library, root, None)
    sync(library, watched)
    assert names(library) == ALL
    return watched


def failing(monkeypatch: pytest.MonkeyPatch, at: Path, code: int) -> None:
    scandir = os.scandir

    def refuse(path: Any) -> Any:
        if path == os.fspath(at):
            raise OSError(code, os.strerror(code))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)


@pytest.mark.parametrize("code", [errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.EACCES])
def test_a_drive_that_fails_loses_nothing_and_the_rest_goes_on(
    library: Library, folder: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    root = tmp_path / "papers"
    with monkeypatch.context() as patched:
        failing(patched, root, code)
        assert "cannot be reached" in sync(library, folder)["problem"]
        assert names(library) == ALL
    with monkeypatch.context() as patched:
        failing(patched, root / "drive", code)
        (root / "other" / "note.txt").unlink()
        summary = sync(library, folder)
    assert changes(summary) == {"removed": 1, "unchanged": 1}
    assert "(drive)" in summary["problem"]
    assert library.folders.need(folder["id"])["problem"] == summary["problem"]
    assert names(library) == ["heating.md", "lease.txt"]
    assert sync(library, folder)["problem"] is None


def test_a_drive_that_does_not_answer_is_waited_for_so_long_only(
    library: Library, folder: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "_PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(folders, "listing", lambda path: time.sleep(1.0))
    _, result = run(folders.sync(library, [library.folders.need(folder["id"])]))
    assert "does not answer" in result["folders"][0]["problem"]
    assert names(library) == ALL


@pytest.fixture
def drive(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names of folders that lie on a drive of their own."""
    from desktop_rag.documents import walk

    places: set[str] = set()
    listing = walk.listing

    def with_drives(path: Path) -> walk.Listing:
        found = listing(path)
        found.mounts = [os.fspath(path / name) for name in places]
        return found

    monkeypatch.setattr(folders, "listing", with_drives)
    return places


@pytest.mark.parametrize("place_stays", [True, False])
def test_a_drive_below_the_folder_that_is_away_loses_nothing(
    library: Library, folder: dict[str, Any], tmp_path: Path, drive: set[str], place_stays: bool
) -> None:
    place = tmp_path / "papers" / "drive"
    drive.add("drive")
    assert sync(library, folder)["problem"] is None
    shutil.move(place, tmp_path / "away")
    drive.clear()
    if place_stays:
        place.mkdir()
    for _ in range(2):
        assert "(drive)" in sync(library, folder)["problem"]
        assert names(library) == ALL
    shutil.rmtree(place, ignore_errors=True)
    shutil.move(tmp_path / "away", place)
    drive.add("drive")
    assert sync(library, folder)["problem"] is None
    assert library.folders.need(folder["id"])["mounts"] == [os.fspath(place)]


def test_a_drive_that_is_there_may_be_emptied(
    library: Library, folder: dict[str, Any], tmp_path: Path, drive: set[str]
) -> None:
    drive.add("drive")
    sync(library, folder)
    (tmp_path / "papers" / "drive" / "heating.md").unlink()
    assert changes(sync(library, folder)) == {"removed": 1, "unchanged": 2}
    assert [row["name"] for row in rows.document_rows(library, None)] == ["lease.txt", "note.txt"]


def test_a_folder_that_was_never_a_drive_may_be_emptied(
    library: Library, folder: dict[str, Any], tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "papers" / "drive")
    summary = sync(library, folder)
    assert changes(summary) == {"removed": 1, "unchanged": 2}
    assert summary["problem"] is None
