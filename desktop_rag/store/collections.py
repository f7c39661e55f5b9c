"""Collections: a name, a privacy policy, and whether documents wait for review."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from desktop_rag.errors import StoreError, UsageError
from desktop_rag.privacy.scrub import POLICIES
from desktop_rag.store.connection import Connection, transaction

DEFAULT_NAME = "My documents"


@dataclass(frozen=True, slots=True)
class StoredEncoder:
    """An encoder that made vectors of the library: the id they are kept under, and its card."""

    id: int
    fingerprint: str
    card: dict[str, Any]

    @property
    def name(self) -> str:
        """Its id in the catalogue; nothing where its card does not say."""
        return str(self.card.get("id") or "")


@dataclass(frozen=True, slots=True)
class EncoderState:
    """The encoder a collection is searched with, the one it changes to, and whether a person chose it."""

    in_use: StoredEncoder | None
    next: StoredEncoder | None
    chosen: bool


class Collections:
    """Queries on the collections table; rows are plain mappings."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def all(self) -> list[dict[str, Any]]:
        """Every collection with its counts, oldest first."""
        rows = self._db.execute("SELECT id, name, policy, review, language FROM collections ORDER BY id").fetchall()
        return [self._with_counts(dict(row)) for row in rows]

    def names(self) -> dict[int, str]:
        """By id the name of every collection, oldest first: counting takes its time."""
        return {row[0]: row[1] for row in self._db.execute("SELECT id, name FROM collections ORDER BY id")}

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

    def encoders(self, collection: int) -> EncoderState:
        """Which encoders work on a collection."""
        in_use, following, chosen = self._db.execute(
            "SELECT encoder_id, next_encoder_id, encoder_chosen FROM collections WHERE id = ?", (collection,)
        ).fetchone() or (None, None, 0)
        return EncoderState(self._encoder(in_use), self._encoder(following), bool(chosen))

    def set_encoder(self, collection: int, encoder: int) -> None:
        """Search the collection with this encoder from now on; vectors of others are left over (see `left_over`)."""
        self._db.execute(
            "UPDATE collections SET encoder_id = ?, next_encoder_id = NULL WHERE id = ?", (encoder, collection)
        )

    def set_next_encoder(self, collection: int, encoder: int | None, *, chosen: bool) -> None:
        """Begin to change to this encoder, or stay with the one in use (None)."""
        self._db.execute(
            "UPDATE collections SET next_encoder_id = ?, encoder_chosen = ? WHERE id = ?",
            (encoder, int(chosen), collection),
        )

    def fusion(self, collection: int) -> str | None:
        """How words and meaning are joined here ("minmax:0.7"); None for the usual way."""
        row = self._db.execute("SELECT fusion FROM collections WHERE id = ?", (collection,)).fetchone()
        return row[0] if row else None

    def set_fusion(self, collection: int, written: str | None) -> None:
        """Join them in another way from now on, or as usual again (None)."""
        with transaction(self._db):
            self._db.execute("UPDATE collections SET fusion = ? WHERE id = ?", (written, collection))

    def remove_left_over(self, collection: int, limit: int) -> int:
        """Delete up to `limit` vectors of encoders that are not at work any more; returns how many went."""
        cursor = self._db.execute(
            "DELETE FROM vectors WHERE rowid IN (SELECT v.rowid FROM documents d"
            " JOIN collections c ON c.id = d.collection_id JOIN chunks k ON k.document_id = d.id"
            " JOIN vectors v ON v.chunk_id = k.id WHERE d.collection_id = ? AND v.encoder_id <> c.encoder_id"
            " AND (c.next_encoder_id IS NULL OR v.encoder_id <> c.next_encoder_id) LIMIT ?)",
            (collection, limit),
        )
        return int(cursor.rowcount)

    def _encoder(self, number: int | None) -> StoredEncoder | None:
        row = self._db.execute("SELECT id, fingerprint, card FROM encoders WHERE id = ?", (number,)).fetchone()
        return StoredEncoder(row["id"], row["fingerprint"], json.loads(row["card"])) if row else None

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
