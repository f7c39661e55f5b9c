"""`desktop-rag folders`: folders kept in step with a collection."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from desktop_rag.cli.commands import again_lines
from desktop_rag.cli.output import Output, counted
from desktop_rag.errors import UsageError
from desktop_rag.workers.crew import Workers

_CHANGES = ("added", "changed", "moved", "removed")
_LOG_LINES = 20


def add_commands(commands_: Any, add: Callable[..., argparse.ArgumentParser]) -> None:
    """The command and its options."""
    parser = add(commands_, "folders", folders, "List the watched folders, watch another one, look for changes.")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--watch", metavar="DIR", help="keep a collection in step with this folder, and index it now")
    what.add_argument("--check", action="store_true", help="look for changes in all folders now")
    what.add_argument("--pause", metavar="ID", type=int, help="stop looking for changes in a folder")
    what.add_argument("--go-on", metavar="ID", type=int, help="look for changes in it again")
    what.add_argument("--forget", metavar="ID", type=int, help="watch it no longer; its documents stay")
    what.add_argument("--log", metavar="ID", type=int, help="what changed in a folder")
    parser.add_argument("--collection", metavar="NAME", help="with --watch: not a collection of the folder's name")


def folders(workers: Workers, options: Namespace, output: Output) -> int:
    """Watch, check, pause, or list."""
    library = workers.library
    if options.watch:
        path = str(Path(options.watch).expanduser().absolute())
        folder = library.call("folder_watch", path=path, collection=options.collection)["folder"]
        return _check(workers, output, folder["id"])
    if options.check:
        return _check(workers, output, None)
    if options.pause is not None or options.go_on is not None:
        paused = options.pause is not None
        library.call("folder_pause", folder=options.pause if paused else options.go_on, paused=paused)
    elif options.forget is not None:
        library.call("folder_forget", folder=options.forget)
    rows = library.call("folders")["folders"]
    if options.log is not None:
        return _log(rows, options.log, output)
    shown = [{key: value for key, value in row.items() if key != "log"} for row in rows]
    output.result({"folders": shown}, [_line(row) for row in rows] or ["No folder is watched."])
    return 0


def _check(workers: Workers, output: Output, folder: int | None) -> int:
    done: dict[str, Any] = {}
    for event in workers.library.stream("sync", folder=folder):
        if event["event"] == "document":
            shown = {key: event.get(key) for key in ("event", "document", "path", "state", "known", "error")}
            output.progress(shown, None)
        elif event["event"] == "done":
            done = event
    failed = [row for row in done["documents"] if row["state"] == "failed"]
    lines = [_summary(row) for row in done["folders"]] or ["No folder is watched, or all are paused."]
    lines += [f"{row['name']}: {row['error']['message']} {row['error']['hint']}".strip() for row in failed]
    waiting = sum(row["state"] == "reviewing" for row in done["documents"])
    if waiting:
        lines.append(f"{counted(waiting, 'document')} to review in the window before they are indexed.")
    lines += again_lines(done["cleaned_again"])
    output.result({name: done[name] for name in ("folders", "documents", "cleaned_again")}, lines)
    return 0


def _log(rows: list[dict[str, Any]], folder: int, output: Output) -> int:
    found = next((row for row in rows if row["id"] == folder), None)
    if found is None:
        raise UsageError("bad_request", f"No watched folder has the number {folder}.", "List them with: folders")
    lines = [
        f"{datetime.fromtimestamp(entry['at']):%Y-%m-%d %H:%M}  {entry['change']:<8} {entry['name']}"
        for entry in found["log"][:_LOG_LINES]
    ]
    output.result({"folder": folder, "log": found["log"]}, lines or ["Nothing has changed yet."])
    return 0


def _summary(row: dict[str, Any]) -> str:
    if row["problem"]:
        return f"{row['path']}: {row['problem']} Nothing was removed."
    told = [f"{row[change]:,} {change}" for change in _CHANGES if row[change]]
    told.append(f"{row['unchanged']:,} unchanged")
    if row["waiting"]:
        told.append(f"{row['waiting']:,} still being written")
    return f"{row['path']}: {', '.join(told)} ({row['seconds']:.1f} s)"


def _line(row: dict[str, Any]) -> str:
    state = "paused" if row["paused"] else row["problem"] or "never checked"
    if row["checked"] and not row["paused"] and not row["problem"]:
        state = f"checked {datetime.fromtimestamp(row['checked']):%Y-%m-%d %H:%M}"
    changes = counted(len(row["log"]), "change")
    return f"{row['id']:>3}  {row['path']}  → {row['collection']}  ({state}, {changes} in its log)"
