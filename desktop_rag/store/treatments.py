"""How whole classes of personal data are treated: in one collection, or in all. Only what is not usual is kept."""

from __future__ import annotations

from typing import Any

from desktop_rag.errors import UsageError
from desktop_rag.privacy.classes import Treatment, treatable, usual
from desktop_rag.store.connection import Connection, transaction


class Treatments:
    """Queries on the treatments of classes."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def all(self, collection: int | None = None) -> list[dict[str, Any]]:
        """Rows {label, replace, threshold, collection} that hold in a collection, those for all first; else every one.

        `collection` is a name, or None for all collections.
        """
        rows = self._db.execute(
            "SELECT t.label, t.replace, t.threshold, c.name AS collection"
            " FROM treatments t LEFT JOIN collections c ON c.id = t.collection_id"
            " WHERE ?1 IS NULL OR t.collection_id IS NULL OR t.collection_id = ?1"
            " ORDER BY coalesce(t.collection_id, 0), t.label",
            (collection,),
        )
        return [{**dict(row), "replace": bool(row["replace"])} for row in rows]

    def holding(self, collection: int | None) -> dict[str, Treatment]:
        """By class, what is said for a collection; its own before those for all. Without one, those for all only."""
        rows = [row for row in self.all(collection) if collection is not None or row["collection"] is None]
        return {row["label"]: Treatment(row["replace"], row["threshold"]) for row in rows}

    def set(self, collection: int | None, label: str, treatment: Treatment | None) -> None:
        """Treat a class so from now on; None: as it is without a word for just this collection. Raises UsageError."""
        if label not in treatable():
            raise UsageError(
                "bad_request", f"There is no class “{label}”.", f"Choose one of: {', '.join(sorted(treatable()))}."
            )
        if treatment is not None and not 0.0 <= treatment.threshold <= 1.0:
            raise UsageError("bad_request", "A score lies between 0 and 1.", "For example: 0.8.")
        place = (collection, label)
        with transaction(self._db):
            self._db.execute("DELETE FROM treatments WHERE collection_id IS ? AND label = ?", place)
            # Read behind the deletion: what holds where nothing is said for just this collection.
            if treatment is not None and treatment != self.holding(collection).get(label, usual(label)):
                self._db.execute(
                    "INSERT INTO treatments (collection_id, label, replace, threshold) VALUES (?, ?, ?, ?)",
                    (*place, int(treatment.replace), treatment.threshold),
                )
