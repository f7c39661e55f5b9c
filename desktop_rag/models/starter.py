"""Place the starter models, which arrive inside Python packages, into the read-only models folder.

The packages (extra `starter`) are containers of data. They are found on the module path but never
imported: importing one would pull in its own dependencies (`llm`, `sentence-transformers`).
Every file is checked against the catalogue's SHA-256 on its way in. `placed.json` remembers size
and modification time of what was checked, so that later starts only stat the files.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktop_rag import paths
from desktop_rag.errors import DesktopRagError, ModelError
from desktop_rag.models.catalogue import Entry, ModelFile, load_catalogue

RECORD = "placed.json"
FROM_SOURCE = "Run: python3 packaging/dev.py setup"
REPAIR = "Install the application again." if getattr(sys, "frozen", False) else FROM_SOURCE


@dataclass(frozen=True, slots=True)
class Placed:
    """A starter model that lies, checked, at `path`; `fresh` if this call put it there."""

    id: str
    path: Path
    fresh: bool


def place(models_dir: Path) -> list[Placed]:
    """Put every packaged starter model under `models_dir`; instant where it already lies there unchanged.

    Raises ModelError: "not_installed" (package missing), "truncated", "checksum".
    """
    record = _read_record(models_dir)
    placed = []
    for entry in load_catalogue():
        if not entry.starter or entry.source.module is None:
            continue
        fresh = not _unchanged(entry, models_dir, record.get(entry.id))
        if fresh:
            record[entry.id] = _place_entry(entry, package_folder(entry), models_dir)
            write_json(models_dir / RECORD, record)
        path = entry.installed_path(models_dir)
        if path is None:
            raise ModelError("truncated", f"{entry.name} is not whole in {models_dir}.", REPAIR)
        placed.append(Placed(entry.id, path, fresh))
    return placed


def package_folder(entry: Entry) -> Path:
    """The folder inside the installed data package that holds the files of `entry`; the package is not imported."""
    spec = importlib.util.find_spec(entry.source.module or "")
    locations = list(spec.submodule_search_locations or []) if spec else []
    if not locations:
        raise ModelError(
            "not_installed",
            f"{entry.name} is missing: the package {entry.source.package} {entry.source.version} is not installed.",
            REPAIR,
        )
    return Path(locations[0]) / entry.source.path


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write `content` to `path` so that a reader sees the old file or the whole new one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file as lower-case hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_file(path: Path, pinned: ModelFile, owner: str) -> None:
    """Raise ModelError unless the file has the pinned size and SHA-256; `owner` names the model in the message."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise ModelError("not_installed", f"{owner}: the file {pinned.name} is missing.", REPAIR) from error
    if pinned.size is not None and size < pinned.size:
        message = f"{owner}: {pinned.name} is cut short ({size:,} of {pinned.size:,} bytes)."
        raise ModelError("truncated", message, REPAIR, details={"path": str(path)})
    if sha256_of(path) != pinned.sha256:
        message = f"{owner}: {pinned.name} is not the file the catalogue pins (its SHA-256 differs)."
        raise ModelError("checksum", message, REPAIR, details={"path": str(path)})


def _place_entry(entry: Entry, source: Path, models_dir: Path) -> dict[str, list[int | str]]:
    folder = entry.folder(models_dir)
    facts = {}
    for file in entry.files:
        target = folder / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            link_or_copy(source / file.name, temporary)
            check_file(temporary, file, entry.name)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        facts[file.name] = _facts(target, file)
    return facts


def link_or_copy(source: Path, target: Path) -> None:
    """Make `target` the same file as `source` by a hard link, or a copy of it where that is not possible."""
    target.unlink(missing_ok=True)
    if not source.is_file():
        return
    try:
        target.hardlink_to(source)
    except OSError:
        # Another file system, or one without hard links.
        shutil.copyfile(source, target)


def _facts(path: Path, file: ModelFile) -> list[int | str]:
    status = path.stat()
    return [str(file.sha256), status.st_size, status.st_mtime_ns]


def _unchanged(entry: Entry, models_dir: Path, known: Any) -> bool:
    folder = entry.folder(models_dir)
    try:
        return bool(known == {file.name: _facts(folder / file.name, file) for file in entry.files})
    except OSError:
        return False


def _read_record(models_dir: Path) -> dict[str, Any]:
    try:
        record = json.loads((models_dir / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def main() -> int:
    """Place the starter models and say where they are; used by set-up."""
    try:
        for model in place(paths.models_dir()):
            print(f"{model.id}: {'placed' if model.fresh else 'in place'}")
    except DesktopRagError as error:
        print(f"{error.message} {error.hint}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
