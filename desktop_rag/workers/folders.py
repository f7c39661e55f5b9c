"""Keeping a collection in step with a folder: what is new, changed, moved or gone since it was looked at last.

Files are told apart by path, size and time; only what differs is opened. A folder that cannot be
reached loses nothing: what is not seen because a drive is away is not gone.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

from desktop_rag.documents.walk import Listing, listing
from desktop_rag.errors import StoreError, UsageError
from desktop_rag.store.documents import UNFINISHED
from desktop_rag.workers.indexing import enter, family, finished, run
from desktop_rag.workers.library import Library
from desktop_rag.workers.loop import Operation
from desktop_rag.workers.receipts import issue
from desktop_rag.workers.removing import Erased, erase
from desktop_rag.workers.rows import event

# A file that changed so lately is probably still being written; the next look takes it.
SETTLED_SECONDS = 2.0
_POLL_SECONDS = 0.02
_PATIENCE_SECONDS = 120.0
_A_SLICE = 200
# The place where a drive was mounted is an empty folder when it is not.
_EMPTY = "The folder is empty: is its drive connected? If it is meant to be empty, remove its documents here."
_PARTLY = "A part of the folder cannot be reached ({}): is its drive connected? Its documents stay."


def watch(library: Library, path: Path, collection: str | None) -> dict[str, Any]:
    """Watch a folder, in a collection of its own name unless one is given."""
    if not path.is_dir():
        raise UsageError("bad_request", "Only a folder can be watched.", "Add the file instead.")
    settings = library.settings
    name = collection or path.name or str(path)
    row = library.collections.find(name) or library.collections.create(name, settings["policy"], settings["review"])
    return library.folders.add(path, row["id"])


def sync(library: Library, folders: list[dict[str, Any]]) -> Operation:
    """Bring the collections of some folders up to date; one summary for each in the result.

    Yields "document" events as `add` does.
    """
    summaries = []
    rows: list[dict[str, Any]] = []
    for folder in folders:
        if folder["paused"]:
            continue
        summary, touched = yield from _sync(library, folder)
        summaries.append(summary)
        rows += touched
    return {"folders": summaries, "documents": rows}


def _sync(
    library: Library, folder: dict[str, Any]
) -> Generator[dict[str, Any] | None, None, tuple[dict[str, Any], list[dict[str, Any]]]]:
    started = time.monotonic()
    counts = dict.fromkeys(("added", "changed", "moved", "removed", "unchanged", "waiting"), 0)
    summary = {"folder": folder["id"], "path": folder["path"], **counts, "problem": None}
    try:
        found = yield from _listing(Path(folder["path"]))
    except OSError as error:
        summary["problem"] = _unreachable(error)
        library.folders.checked(folder["id"], summary["problem"])
        return summary, []
    known = {row["path"]: row for row in library.documents.under(folder["collection_id"], Path(folder["path"]))}
    away = _drives_away(folder, found, known)
    found.closed += away
    if known and not found.files:
        summary["problem"] = _EMPTY
        library.folders.checked(folder["id"], _EMPTY)
        return summary, []
    fresh = yield from _compare(library, known, found, summary)
    documents = yield from _enter(library, folder, {path: path in known for path in fresh}, found, summary)
    # What an earlier look could not finish is taken up as well.
    documents += [row["id"] for row in known.values() if row["state"] in UNFINISHED and row["path"] not in fresh]
    gone = yield from _remove_gone(library, folder, found, summary)
    untold = yield from run(library, documents)
    rows = finished(library, {each: False for document in documents for each in family(library, document)}, untold)
    for row in rows:
        if row["state"] == "failed":
            library.folders.log(folder["id"], "failed", os.path.relpath(row["path"], folder["path"]))
    library.folders.checked(folder["id"])
    library.folders.remember_mounts(folder["id"], [*found.mounts, *away])
    lost = next((path for path in found.closed if _has_documents(path, known)), None)
    if lost is not None:
        summary["problem"] = _PARTLY.format(os.path.relpath(lost, folder["path"]))
        library.folders.checked(folder["id"], summary["problem"])
    if gone:
        # Their names stay in the folder's log, on purpose: nobody asked for these removals.
        summary["receipt"] = yield from issue(library, gone, places=False)
    return {**summary, "seconds": round(time.monotonic() - started, 3)}, rows


def _drives_away(folder: dict[str, Any], found: Listing, known: dict[str, dict[str, Any]]) -> list[str]:
    """Where in the folder a drive was that is not there now: its place is an empty folder, or none at all."""
    before = [path for path in folder["mounts"] if path not in found.mounts]
    return [path for path in before if _has_documents(path, known) and not _has_documents(path, found.files)]


def _has_documents(folder: str, paths: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}{os.sep}") for path in paths)


def _unreachable(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "The folder cannot be reached: it is not there, or its drive is not connected."
    if isinstance(error, PermissionError):
        return "The folder cannot be reached: you have no permission to look into it."
    return "The folder cannot be reached: its drive does not answer."


def _listing(path: Path) -> Generator[None, None, Listing]:
    """The folder's files, listed beside this thread: a slow drive must not keep a question waiting."""
    result: list[Listing | OSError] = []

    def work() -> None:
        try:
            result.append(listing(path))
        except OSError as error:
            result.append(error)

    threading.Thread(target=work, daemon=True, name="folder").start()
    waited = time.monotonic()
    while not result:
        if time.monotonic() - waited > _PATIENCE_SECONDS:
            raise OSError(None, "it does not answer")
        time.sleep(_POLL_SECONDS)
        yield
    if isinstance(result[0], OSError):
        raise result[0]
    return result[0]


def _compare(
    library: Library, known: dict[str, dict[str, Any]], found: Listing, summary: dict[str, Any]
) -> Generator[None, None, list[str]]:
    """The files that have to be opened, in the order of their names."""
    fresh = []
    lately = (time.time() - SETTLED_SECONDS) * 1e9
    for at, (path, (size, modified)) in enumerate(sorted(found.files.items())):
        if at % _A_SLICE == 0:
            yield
        if _is_as_known(known, path, (size, modified)) or _is_same_copy(library, known, found, path):
            summary["unchanged"] += 1
        elif lately < modified <= time.time() * 1e9:
            summary["waiting"] += 1
        else:
            fresh.append(path)
    return fresh


def _is_as_known(known: dict[str, dict[str, Any]], path: str, state: tuple[int, int]) -> bool:
    row = known.get(path)
    return row is not None and (row["size"], row["modified"]) == state


def _is_same_copy(library: Library, known: dict[str, dict[str, Any]], found: Listing, path: str) -> bool:
    """Whether a file is still the copy of another one here, which is still the one that was indexed."""
    state, original = library.copies.get(path, (None, ""))
    return (
        state == found.files[path] and original in found.files and _is_as_known(known, original, found.files[original])
    )


def _enter(
    library: Library, folder: dict[str, Any], fresh: dict[str, bool], found: Listing, summary: dict[str, Any]
) -> Generator[dict[str, Any] | None, None, list[str]]:
    """Rows for `fresh` files (was there one at this path before?); returns the documents to be indexed."""
    collection = library.collections.need(folder["collection_id"])
    documents = []
    for path, was_there in fresh.items():
        document, known = yield from enter(
            library, Path(path), collection["id"], collection["policy"], bool(collection["review"])
        )
        size, modified = found.files[path]
        stands_for = library.documents.row(document)["path"]
        if stands_for == path:
            library.documents.update(document, size=size, modified=modified)
            library.copies.pop(path, None)
        else:
            library.copies[path] = (size, modified), stands_for
        change = _change(known, was_there, stands_for == path)
        if change is None:
            summary["unchanged"] += 1
        else:
            summary[change] += 1
            library.folders.log(folder["id"], change, os.path.relpath(path, folder["path"]))
        if not known:
            documents.append(document)
        yield event(library, document, known=known)
    return documents


def _change(known: bool, was_there: bool, is_its: bool) -> str | None:
    """What happened to a file; None for one that was only touched, or whose content another file here has as well."""
    if not known:
        return "changed" if was_there else "added"
    return "moved" if is_its and not was_there else None


def _remove_gone(
    library: Library, folder: dict[str, Any], found: Listing, summary: dict[str, Any]
) -> Generator[dict[str, Any] | None, None, list[Erased]]:
    """Erase what is not there any more, except below folders that could not be listed."""
    gone = []
    closed = tuple(f"{path}{os.sep}" for path in found.closed)
    for row in library.documents.under(folder["collection_id"], Path(folder["path"])):
        path = row["path"]
        if path in found.files or path in found.closed or path.startswith(closed) or Path(path).exists():
            continue
        try:
            gone.append((yield from erase(library, row["id"])))
        except StoreError as error:
            if error.code != "not_found":
                raise
        summary["removed"] += 1
        library.folders.log(folder["id"], "removed", os.path.relpath(path, folder["path"]))
        yield {"event": "removed", "document": row["id"]}
    return gone
