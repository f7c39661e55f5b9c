"""Folders that are kept in step with a collection, and the log of what changed in them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from desktop_rag.errors import StoreError, UsageError
from desktop_rag.store.connection import Connection, transaction
from desktop_rag.store.documents import restored, stored

LOG_LENGTH = 1000


class Folders:
    """Queries on watched folders; rows are plain mappings."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(self, path: Path, collection: int) -> dict[str, Any]:
        """Watch a folder. Raises UsageError for one that is watched already, or lies in or around one that is."""
        for row in self.all():
            other = Path(row["path"])
            if other == path or other in path.parents or path in other.parents:
                raise UsageError(
                    "bad_request",
                    f"The folder {other.name} is watched already, and this one is the same, inside or around it.",
                    "Stop watching that one first.",
                )
        with transaction(self._db):
            cursor = self._db.execute(
                "INSERT INTO folders (collection_id, path) VALUES (?, ?)", (collection, stored(path))
            )
        return self.need(int(cursor.lastrowid))

    def all(self) -> list[dict[str, Any]]:
        """Every watched folder: id, path, collection, paused, when it was checked, what kept it from being checked,
        and where in it other drives were seen.
        """
        rows = self._db.execute(
            "SELECT f.id, f.path, f.collection_id, c.name AS collection, f.paused, f.checked, f.problem,"
            " f.mounts"
            " FROM folders f JOIN collections c ON c.id = f.collection_id ORDER BY f.id"
        )
        return [
            {
                **dict(row),
                "path": restored(row["path"]),
                "paused": bool(row["paused"]),
                "mounts": [restored(path) for path in json.loads(row["mounts"])],
            }
            for row in rows
        ]

    def need(self, folder: int) -> dict[str, Any]:
        """One folder. Raises StoreError("not_found")."""
        found = next((row for row in self.all() if row["id"] == folder), None)
        if found is None:
            raise StoreError("not_found", "This folder is not watched any more.", "List the watched folders.")
        return found

    def pause(self, folder: int, paused: bool) -> dict[str, Any]:
        """Stop or go on looking for changes."""
        with transaction(self._db):
            self._db.execute("UPDATE folders SET paused = ? WHERE id = ?", (int(paused), folder))
        return self.need(folder)

    def forget(self, folder: int) -> None:
        """Watch it no longer; its documents stay."""
        with transaction(self._db):
            self._db.execute("DELETE FROM folders WHERE id = ?", (folder,))

    def checked(self, folder: int, problem: str | None = None) -> None:
        """It was looked at now, or could not be, and why."""
        with transaction(self._db):
            if problem is None:
                self._db.execute("UPDATE folders SET checked = ?, problem = NULL WHERE id = ?", (time.time(), folder))
            else:
                self._db.execute("UPDATE folders SET problem = ? WHERE id = ?", (problem, folder))

    def remember_mounts(self, folder: int, paths: list[str]) -> None:
        """Note the places in it where other drives are, so that one that is away is told from deleted files."""
        stored_paths = json.dumps(sorted(stored(Path(path)) for path in paths))
        with transaction(self._db):
            self._db.execute("UPDATE folders SET mounts = ? WHERE id = ?", (stored_paths, folder))

    def log(self, folder: int, change: str, path: str) -> None:
        """Write down one change: "added", "changed", "moved", "removed" or "failed", and the file's name."""
        with transaction(self._db):
            self._db.execute(
                "INSERT INTO folder_log (folder_id, at, change, name) VALUES (?, ?, ?, ?)",
                (folder, time.time(), change, _logged(path)),
            )
            self._db.execute(
                "DELETE FROM folder_log WHERE folder_id = ? AND id <= (SELECT max(id) FROM folder_log) - ?",
                (folder, LOG_LENGTH),
            )

    def names(self, path: str) -> list[tuple[int, str]]:
        """The folders that a file lies in, each with the file's name in the folder's log."""
        file = Path(path)
        around = [row for row in self.all() if Path(row["path"]) in file.parents]
        return [(row["id"], _logged(str(file.relative_to(row["path"])))) for row in around]

    def unlog(self, path: str) -> int:
        """Forget what was noted of a file; returns how many notes went."""
        delete = "DELETE FROM folder_log WHERE folder_id = ? AND name = ?"
        with transaction(self._db):
            return sum(self._db.execute(delete, named).rowcount for named in self.names(path))

    def entries(self, folder: int, limit: int = 200) -> list[dict[str, Any]]:
        """The latest changes, the newest first: at (Unix seconds), change, name (below the folder)."""
        rows = self._db.execute(
            "SELECT at, change, name FROM folder_log WHERE folder_id = ? ORDER BY id DESC LIMIT ?", (folder, limit)
        )
        return [dict(row) for row in rows]


def _logged(path: str) -> str:
    return stored(Path(path)).replace("\0", "\ufffd")
