"""A new model of the user's: its folder while it is being made, and its card when it is whole.

Everything that adds a model (a download, an import, a copy in another format, a quantisation,
random weights of a known shape) goes through here, so that one rule holds: a folder without a card
is nothing, and the card is written last. Two processes never work in one folder.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from desktop_rag.errors import ModelError, StoreError
from desktop_rag.models.cards import CARD, INCOMING, card_of, free_id, read_card, user_models, write_card
from desktop_rag.models.catalogue import load_catalogue, offered
from desktop_rag.models.facts import Facts, facts_of
from desktop_rag.models.installed import Installed, find_installed, installed
from desktop_rag.paths import private_dir
from desktop_rag.store.lock import acquire

GOING = ".going-"
RESERVE_BYTES = 512 * 2**20
LOCK = "lock"
"""In every folder the application has worked in; a folder of files without one is somebody else's."""
LEFTOVER_SECONDS = 60.0
"""A folder that was just made may not be locked yet."""

Event = dict[str, Any]


def progress(text: str, fraction: float | None) -> Event:
    """One step of long work, for the window and the terminal alike."""
    return {"event": "progress", "text": text, "fraction": None if fraction is None else round(fraction, 4)}


def unused_id(wanted: str, data_dir: Path) -> str:
    """`wanted` as an id that no model has; the catalogue's ids are kept for the catalogue's own files."""
    return free_id(wanted, {entry.id for entry in (*load_catalogue(), *offered())} | _taken(data_dir))


def id_for(wanted: str, data_dir: Path) -> str:
    """`wanted` as an id that no model has, also where it is the catalogue's."""
    return free_id(wanted, _taken(data_dir))


def _taken(data_dir: Path) -> set[str]:
    """Ids of all models, and of folders somebody works in; what killed work left behind can be used again."""
    root = user_models(data_dir)
    folders = [path for path in _folders(root) if not path.name.startswith(".")]
    # Lower case, as ids are: some file systems take “Model” and “model” for the same.
    used = {folder.name.lower() for folder in folders if (folder / CARD).is_file() or _busy(folder)}
    return {model.id for model in installed(data_dir)} | used


def _ours(folder: Path) -> bool:
    """Whether the application made this folder; files that a person put there are left alone."""
    return any((folder / name).is_file() for name in (LOCK, CARD)) or not any(folder.iterdir())


def _busy(folder: Path) -> bool:
    if not _ours(folder):
        return True
    try:
        with held(folder):
            return False
    except StoreError:
        return True


@contextmanager
def workplace(data_dir: Path, model_id: str) -> Iterator[Path]:
    """The folder of a model that is being made, empty and held alone; removed again unless it got its card.

    Raises StoreError("locked") when somebody else is making this model, ModelError("incompatible") where a
    model or files of somebody else's are in the way.
    """
    folder = private_dir(private_dir(user_models(data_dir)) / model_id)
    if not _ours(folder):
        raise ModelError("incompatible", f"There are other files in the folder {folder}.", "Move them elsewhere.")
    with held(folder):
        _empty(folder)
        try:
            yield folder
        finally:
            if not (folder / CARD).is_file():
                shutil.rmtree(folder, ignore_errors=True)


def register(data_dir: Path, folder: Path, made: Path, /, **more: Any) -> Installed:
    """Read what was made, write its card, and return the model. Raises what `facts_of` raises."""
    facts = facts_of(made)
    write_card(folder, {**card_of(facts, folder), "files": sizes_of(facts), **more})
    return find_installed(folder.name, data_dir)


def sizes_of(facts: Facts) -> dict[str, int]:
    """Bytes of each of a model's files, by its name: what a later look compares."""
    root = facts.path if facts.path.is_dir() else facts.path.parent
    return {name: (root / name).stat().st_size for name in facts.files}


def made_from(parent: Installed, data_dir: Path, fitting: Callable[[dict[str, Any]], bool]) -> Installed | None:
    """What was made from `parent` before and is still good; `fitting` looks at the card."""
    for model in installed(data_dir):
        if model.parent == parent.id and not model.problem:
            card = read_card(user_models(data_dir) / model.id) or {}
            if card.get("parent_sha256") == parent.sha256 and fitting(card):
                return model
    return None


def check_room(folder: Path, needed: int) -> None:
    """Raise StoreError("disk_full") unless `needed` bytes fit and some stay free for the library."""
    free = shutil.disk_usage(folder).free
    if needed + RESERVE_BYTES > free:
        raise StoreError(
            "disk_full",
            f"There is not enough space: {needed / 1e9:,.1f} GB are needed, {free / 1e9:,.1f} GB are free"
            f" and {RESERVE_BYTES / 1e9:,.1f} GB of them stay reserved.",
            "Free some space.",
            retryable=True,
        )


def remove_folder(folder: Path) -> None:
    """Take a model's folder away: renamed first, so that it is gone at once or not at all. Raises StoreError."""
    aside = folder.with_name(f"{GOING}{folder.name}-{time.time_ns()}")
    try:
        folder.rename(aside)
    except OSError as error:
        raise StoreError(
            "read_only",
            f"The model {folder.name} cannot be deleted: {error.strerror}.",
            "Close what uses it, then delete it again.",
            retryable=True,
        ) from error
    shutil.rmtree(aside, ignore_errors=True)


def sweep(data_dir: Path) -> None:
    """Remove what killed work left behind: the application's folders without a card, and half-deleted ones."""
    for folder in _folders(user_models(data_dir)):
        if folder.name.startswith(GOING):
            shutil.rmtree(folder, ignore_errors=True)
        elif folder.name != INCOMING and _left_behind(folder):
            with contextlib.suppress(StoreError), held(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _left_behind(folder: Path) -> bool:
    if (folder / CARD).is_file() or not _ours(folder):
        return False
    return time.time() - folder.stat().st_mtime > LEFTOVER_SECONDS


def _folders(root: Path) -> list[Path]:
    return [path for path in root.iterdir() if path.is_dir()] if root.is_dir() else []


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Work in a folder alone. Raises StoreError("locked") when another process is at it."""
    try:
        lock = acquire(folder)
    except StoreError as error:
        if error.code != "locked":
            raise
        raise StoreError(
            "locked",
            f"The model {folder.name} is being made already.",
            "Wait for it, or stop it there.",
            retryable=True,
        ) from error
    with lock:
        yield


def _empty(folder: Path) -> None:
    if (folder / CARD).is_file():
        raise ModelError("incompatible", f"There is a model called {folder.name} already.", "Delete it first.")
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != LOCK:
            path.unlink()
