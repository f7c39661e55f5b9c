"""Whatever happened to Chroma's folder while the application was closed, the search finds the same and says nothing."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desktop_rag import paths
from desktop_rag.retrieval.chroma import BrokenCacheError
from desktop_rag.workers import health
from tests.workers.driving import counts
from tests.workers.made_chunks import directions, put

if TYPE_CHECKING:
    from desktop_rag.workers.library import Library

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]
# Chroma writes its graph to files from 1 000 vectors on.
_MANY = 1200
Open = Callable[[], "Library"]


@pytest.fixture
def closed(open_library: Open) -> tuple[Path, dict[int, float]]:
    """A closed library of so many passages: Chroma's folder, and what a search found."""
    library = open_library()
    put(library, "many.txt", [f"Clause {n} about the boat." for n in range(_MANY)], directions(_MANY))
    found = search(library)
    assert counts(library)["chroma"] == _MANY
    library.close()
    folder = paths.data_dir() / "chroma"
    assert list(folder.glob("*/data_level0.bin")), "the graph lies in files"
    return folder, found


def search(library: Library) -> dict[int, float]:
    return library.search(directions(2000)[-1], library.default_collection()["id"], 5)


def rewrite(folder: Path, pattern: str, change: Callable[[bytes], bytes | None]) -> None:
    """Change every file of a pattern; None takes it away."""
    files = [file for file in folder.rglob(pattern) if file.is_file()]
    assert files
    for file in files:
        content = change(file.read_bytes())
        if content is None:
            file.unlink()
        else:
            file.write_bytes(content)


def garbled(content: bytes) -> bytes:
    at = len(content) // 3
    noise = random.Random(3).randbytes(max(16, len(content) // 10))
    return content[:at] + noise + content[at + len(noise) :]


CHANGES: dict[str, Callable[[bytes], bytes | None]] = {
    "gone": lambda content: None,
    "emptied": lambda content: b"",
    "cut": lambda content: content[: len(content) // 2],
    "zeros": lambda content: bytes(len(content)),
    "noise": lambda content: random.Random(5).randbytes(len(content)),
    "garbled": garbled,
}
FILES = ("*", "*.sqlite3", "*.bin", "data_level0.bin", "link_lists.bin", "header.bin", "index_metadata.pickle")


def test_whatever_happened_to_its_files_the_search_is_the_same(
    open_library: Open, closed: tuple[Path, dict[int, float]], tmp_path: Path
) -> None:
    """One of Chroma's own crashes would end this process: that, too, would be seen."""
    folder, found = closed
    kept = tmp_path / "kept"
    shutil.copytree(folder, kept)
    for name, change in CHANGES.items():
        for pattern in FILES:
            shutil.rmtree(folder)
            # With their times, as they were left.
            shutil.copytree(kept, folder)
            rewrite(folder, pattern, change)
            library = open_library()
            assert search(library) == pytest.approx(found, abs=1e-3), f"{pattern} {name}"
            assert set(counts(library).values()) == {1, _MANY}, f"{pattern} {name}"
            library.close()


@pytest.mark.parametrize("kind", ["deleted", "a file", "another version", "without a note", "noise in the note"])
def test_a_folder_that_is_not_as_it_was_is_made_again(
    open_library: Open, closed: tuple[Path, dict[int, float]], kind: str
) -> None:
    folder, found = closed
    note = folder / "files.json"
    held = json.loads(note.read_bytes())
    if kind in ("deleted", "a file"):
        shutil.rmtree(folder)
    if kind == "a file":
        folder.write_bytes(b"no folder")
    elif kind == "another version":
        note.write_text(json.dumps(held | {"chroma": "0.4.24"}))
    elif kind == "without a note":
        note.unlink()
    elif kind == "noise in the note":
        note.write_bytes(os.urandom(100))
    library = open_library()
    assert search(library) == pytest.approx(found, abs=1e-3)
    report = health.examine(library, "none")
    assert report["index"]["parity"] is True
    assert report["index"]["vectors"] == _MANY
    assert json.loads(note.read_bytes())["chroma"] == held["chroma"]


def test_what_is_as_it_was_left_is_used_as_it_is(open_library: Open, closed: tuple[Path, dict[int, float]]) -> None:
    folder, found = closed
    before = {file: file.stat().st_mtime_ns for file in folder.glob("*/*.bin")}
    library = open_library()
    assert search(library) == pytest.approx(found, abs=1e-3)
    assert {file: file.stat().st_mtime_ns for file in folder.glob("*/*.bin")} == before


class PanicException(BaseException):
    """As Chroma's native code raises: no Exception."""


def test_where_its_native_code_gives_up_a_new_cache_is_made(
    open_library: Open, closed: tuple[Path, dict[int, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, found = closed
    library = open_library()
    collection = library.chroma._collection

    def panics(number: int) -> object:
        monkeypatch.setattr(library.chroma, "_collection", collection)
        raise PanicException

    monkeypatch.setattr(library.chroma, "_collection", panics)
    with pytest.raises(BrokenCacheError):
        library.chroma.count(1)
    monkeypatch.setattr(library.chroma, "_collection", panics)
    assert search(library) == pytest.approx(found, abs=1e-3)
    assert library.ensure_parity(1) == 0


def test_a_folder_that_cannot_be_made_leaves_the_exact_search_and_is_told(
    open_library: Open, closed: tuple[Path, dict[int, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, found = closed
    shutil.rmtree(folder)
    library = open_library()
    mkdir = Path.mkdir

    def refused(path: Path, *arguments: object, **more: object) -> None:
        if path == folder:
            raise PermissionError(13, "Permission denied")
        mkdir(path, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "mkdir", refused)
    assert search(library) == pytest.approx(found, abs=1e-3)
    library.open_cache()
    library.cache(library.default_collection()["id"], [1])
    report = health.examine(library, "none")
    assert "cannot be written" in "\n".join(report["problems"])
