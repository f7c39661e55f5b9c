"""Watched folders: what is added, changed, moved and deleted there reaches the collection, and nothing else does."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING, Any

import pytest

from desktop_rag.errors import UsageError
from desktop_rag.workers import folders, rows
from tests.workers.driving import run

if TYPE_CHECKING:
    from pathlib import Path

    from desktop_rag.workers.library import Library

pytestmark = pytest.mark.slow


def write(path: Path, text: str) -> Path:
    """A file that was written a while ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    old = time.time() - 60
    os.utime(path, (old, old))
    return path


@pytest.fixture
def folder(library: Library, tmp_path: Path) -> dict[str, Any]:
    """A watched folder with two files, looked at once."""
    library.settings.set("review", False)
    root = tmp_path / "papers"
    write(root / "lease.txt", "The lease begins in March and is paid monthly.\n")
    write(root / "deep" / "heating.md", "# Heating\n\nThe boiler is serviced every October.\n")
    watched = folders.watch(library, root, None)
    sync(library, watched)
    return watched


def sync(library: Library, folder: dict[str, Any]) -> dict[str, Any]:
    _, result = run(folders.sync(library, [library.folders.need(folder["id"])]))
    return dict(result["folders"][0])


def names(library: Library) -> list[str]:
    return sorted(row["name"] for row in rows.document_rows(library, None))


def changes(summary: dict[str, Any]) -> dict[str, int]:
    kinds = ("added", "changed", "moved", "removed", "unchanged")
    return {kind: summary[kind] for kind in kinds if summary[kind]}


def test_a_folder_becomes_a_collection_of_its_name(library: Library, folder: dict[str, Any]) -> None:
    assert folder["collection"] == "papers"
    assert names(library) == ["heating.md", "lease.txt"]
    assert {row["collection"] for row in rows.document_rows(library, None)} == {"papers"}


def test_what_did_not_change_is_not_opened(
    library: Library, folder: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "enter", None)
    assert changes(sync(library, folder)) == {"unchanged": 2}


def test_changes_follow(library: Library, folder: dict[str, Any], tmp_path: Path) -> None:
    root = tmp_path / "papers"
    before = {row["name"]: row["id"] for row in rows.document_rows(library, None)}
    write(root / "new.txt", "The spare key is kept with the caretaker.\n")
    (root / "lease.txt").rename(root / "deep" / "moved.txt")
    write(root / "deep" / "heating.md", "# Heating\n\nThe boiler was replaced by a heat pump.\n")
    assert changes(sync(library, folder)) == {"added": 1, "changed": 1, "moved": 1}
    after = {row["name"]: row["id"] for row in rows.document_rows(library, None)}
    assert after.keys() == {"new.txt", "moved.txt", "heating.md"}
    assert after["moved.txt"] == before["lease.txt"], "a moved file is not indexed again"
    (root / "new.txt").unlink()
    assert changes(sync(library, folder)) == {"removed": 1, "unchanged": 2}
    assert names(library) == ["heating.md", "moved.txt"]
    log = [(entry["change"], entry["name"]) for entry in library.folders.entries(folder["id"])]
    assert log[0] == ("removed", "new.txt")
    assert ("moved", os.path.join("deep", "moved.txt")) in log  # noqa: PTH118 - as the log writes it


def test_a_touched_file_is_not_indexed_again(library: Library, folder: dict[str, Any], tmp_path: Path) -> None:
    os.utime(tmp_path / "papers" / "lease.txt", (1, 1))
    assert changes(sync(library, folder)) == {"unchanged": 2}
    assert len(library.folders.entries(folder["id"])) == 2


def test_a_file_still_being_written_waits(library: Library, folder: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "papers" / "half.txt").write_text("The first half of a sen")
    assert sync(library, folder)["waiting"] == 1
    assert names(library) == ["heating.md", "lease.txt"]


def test_a_folder_that_cannot_be_reached_loses_nothing(
    library: Library, folder: dict[str, Any], tmp_path: Path
) -> None:
    shutil.move(tmp_path / "papers", tmp_path / "away")
    assert "cannot be reached" in sync(library, folder)["problem"]
    assert names(library) == ["heating.md", "lease.txt"]
    assert library.folders.need(folder["id"])["problem"]
    shutil.move(tmp_path / "away", tmp_path / "papers")
    assert changes(sync(library, folder)) == {"unchanged": 2}
    assert library.folders.need(folder["id"])["problem"] is None


def test_a_paused_folder_is_left_alone(library: Library, folder: dict[str, Any], tmp_path: Path) -> None:
    library.folders.pause(folder["id"], True)
    write(tmp_path / "papers" / "new.txt", "The spare key is kept with the caretaker.\n")
    _, result = run(folders.sync(library, library.folders.all()))
    assert result["folders"] == []
    library.folders.pause(folder["id"], False)
    assert changes(sync(library, folder))["added"] == 1


def test_a_file_that_cannot_be_read_is_tried_once(library: Library, folder: dict[str, Any], tmp_path: Path) -> None:
    write(tmp_path / "papers" / "broken.pdf", "no pdf")
    assert changes(sync(library, folder))["added"] == 1
    assert ("failed", "broken.pdf") in [(e["change"], e["name"]) for e in library.folders.entries(folder["id"])]
    assert changes(sync(library, folder)) == {"unchanged": 3}


def test_a_folder_is_watched_once(library: Library, folder: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        folders.watch(library, tmp_path / "papers" / "deep", None)
    with pytest.raises(UsageError):
        folders.watch(library, tmp_path, None)


def test_what_is_watched_no_longer_keeps_its_documents(library: Library, folder: dict[str, Any]) -> None:
    library.folders.forget(folder["id"])
    assert names(library) == ["heating.md", "lease.txt"]
    assert library.folders.all() == []


def test_a_folder_that_is_suddenly_empty_loses_nothing(
    library: Library, folder: dict[str, Any], tmp_path: Path
) -> None:
    """As the place looks where a drive was mounted."""
    shutil.move(tmp_path / "papers", tmp_path / "away")
    (tmp_path / "papers").mkdir()
    assert "is empty" in sync(library, folder)["problem"]
    assert names(library) == ["heating.md", "lease.txt"]


def test_a_copy_is_hashed_once_and_takes_the_place_of_a_deleted_original(
    library: Library, folder: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "papers"
    write(root / "same.txt", (root / "lease.txt").read_text())
    assert changes(sync(library, folder)) == {"unchanged": 3}
    with monkeypatch.context() as patched:
        patched.setattr(folders, "enter", None)
        assert changes(sync(library, folder)) == {"unchanged": 3}, "neither of the two is opened again"
    (root / "lease.txt").unlink()
    assert changes(sync(library, folder)) == {"moved": 1, "unchanged": 1}
    assert names(library) == ["heating.md", "same.txt"]
