"""From what a person dropped to the files to read: files as they are, folders searched."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from desktop_rag.documents.formats import is_supported


@dataclass(slots=True)
class Listing:
    """What lies in a folder: size and time of change (ns) of each file to read; `closed` are folders not listed,
    `mounts` those that lie on another drive than the one around them.
    """

    files: dict[str, tuple[int, int]] = field(default_factory=dict)
    closed: list[str] = field(default_factory=list)
    mounts: list[str] = field(default_factory=list)


def listing(folder: Path) -> Listing:
    """All files below a folder that a walk would take, told apart by path, size and time without opening any.

    Raises OSError when the folder itself cannot be listed: a drive that is not there must not look empty.
    """
    found = Listing()
    seen: set[tuple[int, int]] = set()
    waiting = [(os.fspath(folder), folder.stat().st_dev)]
    while waiting:
        current, drive_around = waiting.pop()
        try:
            status = Path(current).stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            if status.st_dev != drive_around:
                found.mounts.append(current)
            inside: list[str] = []
            with os.scandir(current) as entries:
                for entry in entries:
                    if not entry.name.startswith("."):
                        _take(entry, found, inside)
            waiting += [(path, status.st_dev) for path in inside]
        except OSError:
            if current == os.fspath(folder):
                raise
            found.closed.append(current)
    return found


def _take(entry: os.DirEntry[str], found: Listing, folders: list[str]) -> None:
    try:
        if entry.is_dir():
            folders.append(entry.path)
        elif is_supported(Path(entry.name)) and entry.is_file():
            status = entry.stat()
            found.files[entry.path] = (status.st_size, status.st_mtime_ns)
    except OSError:
        found.closed.append(entry.path)


def walk(paths: Iterable[Path]) -> Iterator[Path]:
    """Files to read, in a stable order, each once.

    A named file always comes (also hidden, unsupported or missing: reading it then says what is wrong). In a
    folder, sorted by name, hidden entries and unsupported suffixes are left out; a folder that a symbolic link
    leads back to is entered once; a folder that may not be listed is passed over.
    """
    seen_files: set[Path] = set()
    seen_folders: set[tuple[int, int]] = set()
    for path in paths:
        found = _folder(path, seen_folders) if path.is_dir() else iter((path,))
        for file in found:
            key = Path(os.path.realpath(file))
            if key not in seen_files:
                seen_files.add(key)
                yield file


def _folder(folder: Path, seen: set[tuple[int, int]]) -> Iterator[Path]:
    """Depth first with a stack of its own, so that no depth of folders can exhaust Python's."""
    waiting = [folder]
    while waiting:
        entry = waiting.pop()
        try:
            if not entry.is_dir():
                if is_supported(entry) and entry.is_file():
                    yield entry
                continue
            status = entry.stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            inside = sorted((e for e in entry.iterdir() if not e.name.startswith(".")), key=lambda e: e.name)
        except OSError:
            continue
        waiting.extend(reversed(inside))
