"""Collections: a name, a privacy policy, and whether documents wait for review."""

from __future__ import annotations

import time
from typing import Any

from desktop_rag.errors import StoreError, UsageError
from desktop_rag.privacy.scrub import POLICIES
from desktop_rag.store.connection import Connection, transaction

DEFAULT_NAME = "My documents"


class Collections:
    """Queries on the collections table; rows are plain mappings."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def all(self) -> list[dict[str, Any]]:
        """Every collection with its counts, oldest first."""
        rows = self._db.execute("SELECT id, name, policy, review, language FROM collections ORDER BY id").fetchall()
        return [self._with_counts(dict(row)) for row in rows]

    def find(self, name_or_id: str | int | None) -> dict[str, Any] | None:
        """A collection by its id (a number) or its name (a text, even one of digits); None when there is none such."""
        column = "id" if isinstance(name_or_id, int) else "name"
        row = self._db.execute(
            f"SELECT id, name, policy, review, language FROM collections WHERE {column} = ?", (name_or_id,)
        ).fetchone()
        return dict(row) if row else None

    def need(self, name_or_id: str | int) -> dict[str, Any]:
        """Like find, but raises StoreError("not_found")."""
        found = self.find(name_or_id)
        if found is None:
            raise StoreError(
                "not_found",
                f"There is no collection “{name_or_id}”.",
                "Its name may have changed; list the collections.",
            )
        return found

    def create(self, name: str, policy: str, review: bool) -> dict[str, Any]:
        """A new collection. Raises UsageError for a taken or empty name or an unknown policy."""
        name = self._checked(name, policy)
        with transaction(self._db):
            cursor = self._db.execute(
                "INSERT INTO collections (name, policy, review, created) VALUES (?, ?, ?, ?)",
                (name, policy, int(review), time.time()),
            )
        return self.need(int(cursor.lastrowid))

    def update(self, collection: int, **changes: Any) -> dict[str, Any]:
        """Change name, policy or review; a new policy holds for documents added from now on."""
        row = self.need(collection)
        name, policy = changes.get("name") or row["name"], changes.get("policy") or row["policy"]
        if name != row["name"]:
            name = self._checked(name, policy)
        review = row["review"] if changes.get("review") is None else int(changes["review"])
        with transaction(self._db):
            self._db.execute(
                "UPDATE collections SET name = ?, policy = ?, review = ? WHERE id = ?",
                (name, policy, review, collection),
            )
        return self.need(collection)

    def delete(self, collection: int) -> None:
        """Remove an emptied collection."""
        with transaction(self._db):
            self._db.execute("DELETE FROM collections WHERE id = ?", (collection,))

    def set_encoder(self, collection: int, encoder: int) -> None:
        """Remember which encoder made this collection's vectors."""
        self._db.execute(
            "UPDATE collections SET encoder_id = ? WHERE id = ? AND encoder_id IS NULL", (encoder, collection)
        )

    def _checked(self, name: str, policy: str) -> str:
        name = name.strip()
        if not name:
            raise UsageError("bad_request", "A collection needs a name.")
        if policy not in POLICIES:
            raise UsageError("bad_request", f"There is no policy “{policy}”.", f"Choose one of: {', '.join(POLICIES)}.")
        if self._db.execute("SELECT 1 FROM collections WHERE name = ?", (name,)).fetchone():
            raise UsageError("bad_request", f"There is already a collection “{name}”.", "Choose another name.")
        return name

    def _with_counts(self, row: dict[str, Any]) -> dict[str, Any]:
        states = dict(
            self._db.execute(
                "SELECT state, count(*) FROM documents WHERE collection_id = ? GROUP BY state", (row["id"],)
            ).fetchall()
        )
        chunks = self._db.execute(
            "SELECT count(*) FROM chunks JOIN documents d ON d.id = document_id WHERE d.collection_id = ?", (row["id"],)
        ).fetchone()[0]
        return {
            **row,
            "review": bool(row["review"]),
            "documents": sum(states.values()),
            "chunks": chunks,
            "states": states,
        }
