"""What has been looked for in a collection's documents, and which documents were looked through for everything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from desktop_rag.store.connection import Connection, transaction


class Looks:
    """Queries on what is new since the last look."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def new_values(self, collection: int) -> list[tuple[int, str, str]]:
        """(id, class, value) of the vault's spellings that nobody looked for yet."""
        rows = self._db.execute(
            "SELECT a.id, e.label, a.value FROM aliases a JOIN entries e ON e.id = a.entry_id"
            " WHERE a.looked_for = 0 AND e.collection_id = ?",
            (collection,),
        )
        return [tuple(row) for row in rows]

    def new_rules(self) -> list[dict[str, Any]]:
        """id, collection_id and term of the rules that replace always, and that nobody looked for yet."""
        rows = self._db.execute("SELECT id, collection_id, term FROM rules WHERE kind = 'always' AND looked_for = 0")
        return [dict(row) for row in rows]

    def documents(self, collection: int) -> list[tuple[str, bool]]:
        """(id, was it looked through for everything?) of the documents that are indexed and cleaned."""
        rows = self._db.execute(
            "SELECT id, looked_through FROM documents WHERE collection_id = ? AND policy != 'keep'"
            " AND state IN ('ready', 'partly_read') ORDER BY added, rowid",
            (collection,),
        )
        return [(row[0], bool(row[1])) for row in rows]

    def version(self, document: str) -> float | None:
        """What tells whether a document has changed since; None if it is gone."""
        row = self._db.execute("SELECT updated FROM documents WHERE id = ?", (document,)).fetchone()
        return float(row[0]) if row else None

    def looked_through(self, documents: Sequence[tuple[str, float | None]]) -> None:
        """Note, in the caller's transaction, (id, version) of documents, but for those that have changed since."""
        self._db.executemany("UPDATE documents SET looked_through = 1 WHERE id = ? AND updated = ?", documents)

    def looked_for(self, spellings: Sequence[int]) -> None:
        """Note spellings of the vault, in the caller's transaction."""
        self._db.executemany("UPDATE aliases SET looked_for = 1 WHERE id = ?", [(each,) for each in spellings])

    def looked_for_rules(self, rules: Sequence[dict[str, Any]]) -> None:
        """Note rules."""
        if rules:
            with transaction(self._db):
                self._db.executemany("UPDATE rules SET looked_for = 1 WHERE id = ?", [(r["id"],) for r in rules])

    def forget(self, collection: int) -> None:
        """None of its documents was looked through."""
        with transaction(self._db):
            self._db.execute("UPDATE documents SET looked_through = 0 WHERE collection_id = ?", (collection,))
