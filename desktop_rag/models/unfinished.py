"""Downloads that were stopped or broke off: what has arrived of each, how to go on, and how to be rid of it.

Read from what `models.part` leaves in the folder for unfinished things; nothing else is kept about them.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktop_rag.errors import StoreError
from desktop_rag.models.cards import INCOMING, user_models
from desktop_rag.models.catalogue import Entry, offered
from desktop_rag.models.inspect import PART
from desktop_rag.models.making import held
from desktop_rag.models.part import ARRIVING, NOTE
from desktop_rag.models.web import file_of, hub_address


@dataclass(frozen=True, slots=True)
class Unfinished:
    """One download in its folder `id`: `received` of `total` bytes (None where nobody said how many).

    `get` is what to ask the `download` operation for to go on, None where that is not known any more;
    `running` says that some process is at it now.
    """

    id: str
    name: str
    received: int
    total: int | None
    running: bool
    get: dict[str, Any] | None

    def row(self) -> dict[str, Any]:
        """As the window and the terminal get it."""
        return dataclasses.asdict(self)

    def is_called(self, name: str) -> bool:
        """Whether `name` means this one: its id, its file, or what it was asked for by."""
        get = self.get or {}
        asked = get.get("id") or (f"{get['repo']}:{get['file']}" if "repo" in get else None)
        return name in (self.id, self.name, asked)


def unfinished(data_dir: Path) -> list[Unfinished]:
    """What arrived in part, or whole and was never registered; by name."""
    root = user_models(data_dir) / INCOMING
    folders = [path for path in root.iterdir() if path.is_dir()] if root.is_dir() else []
    found = [one for folder in folders if (one := _read(folder)) is not None]
    return sorted(found, key=lambda one: (one.name.lower(), one.id))


def remove_unfinished(one: Unfinished, data_dir: Path) -> int:
    """Delete what has arrived; the bytes that are free again. Raises StoreError("locked" | "read_only")."""
    folder = user_models(data_dir) / INCOMING / one.id
    if _busy(folder):
        raise StoreError(
            "locked", f"{one.name} is being downloaded just now.", "Stop the download, then remove it.", retryable=True
        )
    with held(folder):
        shutil.rmtree(folder, ignore_errors=True)
    if _read(folder) is not None:
        raise StoreError(
            "read_only",
            f"What has arrived of {one.name} cannot be deleted.",
            f"Look at the folder {folder}.",
            retryable=True,
        )
    return one.received


def _read(folder: Path) -> Unfinished | None:
    """None for a folder in which nothing has arrived."""
    notes = {path.name.removesuffix(NOTE): _note(path) for path in folder.glob(f"*{NOTE}")}
    sizes = {path.name.removesuffix(ARRIVING): path.stat().st_size for path in folder.glob(f"*{ARRIVING}")}
    # A split model's earlier parts, or a whole file that nobody has registered, carry their final name already.
    sizes |= {name: (folder / name).stat().st_size for name in notes if (folder / name).is_file()}
    if not sum(sizes.values()):
        return None
    first = min(sizes)
    get = _order(first, notes.get(first, {}))
    entry = next((entry for entry in offered() if entry.id == (get or {}).get("id")), None)
    return Unfinished(
        id=folder.name,
        name=entry.name if entry else first,
        received=sum(sizes.values()),
        total=_whole(entry) or _total(first, sizes, notes),
        running=_busy(folder),
        get=get,
    )


def _note(path: Path) -> dict[str, Any]:
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def _whole(entry: Entry | None) -> int | None:
    """Bytes of all files of a model that is a folder; None for any other."""
    return entry.size if entry is not None and not entry.source.file else None


def _total(first: str, sizes: dict[str, int], notes: dict[str, dict[str, Any]]) -> int | None:
    """Bytes of all files together; None while a part of a split model has not begun, or a server told no length."""
    split = PART.match(first)
    told = [notes.get(name, {}).get("size") for name in sizes]
    known = [size for size in told if isinstance(size, int)]
    whole = len(sizes) == (int(split["parts"]) if split else 1)
    return sum(known) if whole and len(known) == len(told) else None


def _order(first: str, note: dict[str, Any]) -> dict[str, Any] | None:
    """What brings the rest: an id of the catalogue, a file of a repository, or an address."""
    url = note.get("url")
    if not isinstance(url, str):
        return None
    source = file_of(hub_address(), url)
    entry = next((e for e in offered() if source and source[0] == e.source.repo and source[1] in _files_of(e)), None)
    if entry is not None:
        return {"id": entry.id}
    where: dict[str, Any] = {"repo": source[0], "file": source[1]} if source else {"url": url, "name": first}
    # The hash of the first part says nothing of the others: those are asked for again.
    pins = {} if PART.match(first) else {key: note[key] for key in ("sha256", "size") if note.get(key)}
    return where | pins


def _files_of(entry: Entry) -> list[str]:
    return [entry.source.file] if entry.source.file else [file.name for file in entry.files]


def _busy(folder: Path) -> bool:
    try:
        with held(folder):
            return False
    except StoreError as error:
        return error.code == "locked"
