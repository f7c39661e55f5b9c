"""What was found in documents that wait for their review, and what a person decided about it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from desktop_rag.privacy.marks import Mark
from desktop_rag.store.connection import Connection, transaction

LOOK_ALIKE = "LOOK_ALIKE"
"""The class of what only looks like something that stands for a value."""
_OWN = "page_id IN (SELECT id FROM pages WHERE document_id = ?)"
_AT_ONCE = 500


class Reviews:
    """Queries on the private places of documents."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def marks(self, page: int) -> list[Mark]:
        """The private places of a page as they are stored: what a person laid over others still overlaps them."""
        rows = self._db.execute(
            "SELECT start, end, label, score, replace, decided, id FROM spans WHERE page_id = ? AND label != ?"
            " ORDER BY start, id",
            (page, LOOK_ALIKE),
        )
        return [
            Mark(start, end, label, score, bool(replace), bool(decided), identity)
            for start, end, label, score, replace, decided, identity in rows
        ]

    def store(self, page: int, marks: Iterable[Mark]) -> None:
        """Make these the private places of a page, in place of those it had."""
        with transaction(self._db):
            self._db.execute("DELETE FROM spans WHERE page_id = ? AND label != ?", (page, LOOK_ALIKE))
            self._db.executemany(
                "INSERT INTO spans (id, page_id, start, end, label, score, replace, decided)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(m.id, page, m.start, m.end, m.label, m.score, int(m.replace), int(m.decided)) for m in marks],
            )

    def decide(
        self, document: str, ticks: Iterable[tuple[int, bool]], marks: Iterable[tuple[int, Mark]], **changes: Any
    ) -> None:
        """Store what a person decided about a document, and change its columns: all of it, or nothing.

        `ticks` are (id of a place, replace it?), `marks` (ordinal of the page, place), to be laid over what was found
        there. Places of other documents are not touched.
        """
        with transaction(self._db):
            self._db.executemany(
                f"UPDATE spans SET replace = ?, decided = 1 WHERE id = ? AND {_OWN}",
                [(int(replace), place, document) for place, replace in ticks],
            )
            for ordinal, mark in marks:
                self._lay(document, ordinal, mark)
            for name, value in {**changes, "updated": time.time()}.items():
                self._db.execute(f"UPDATE documents SET {name} = ? WHERE id = ?", (value, document))

    def _lay(self, document: str, ordinal: int, mark: Mark) -> None:
        page = self._db.execute(
            "SELECT id FROM pages WHERE document_id = ? AND ordinal = ?", (document, ordinal)
        ).fetchone()
        if page is None:
            return
        place = (page[0], mark.start, mark.end)
        self._db.execute("DELETE FROM spans WHERE page_id = ? AND start = ? AND end = ? AND decided = 1", place)
        self._db.execute(
            "INSERT INTO spans (page_id, start, end, label, score, replace, decided) VALUES (?, ?, ?, ?, 1.0, ?, 1)",
            (*place, mark.label, int(mark.replace)),
        )

    def summary(self, documents: Sequence[str]) -> dict[str, dict[str, int]]:
        """By document: how many values were `found`, `replaced` and `doubtful`, how many pages were `unread`."""
        counted: dict[str, dict[str, int]] = {}
        for at in range(0, len(documents), _AT_ONCE):
            part = documents[at : at + _AT_ONCE]
            marks = ",".join("?" * len(part))
            rows = self._db.execute(
                "SELECT p.document_id AS document, count(s.id) AS found, coalesce(sum(s.replace), 0) AS replaced,"
                " coalesce(sum(s.doubtful AND NOT s.decided), 0) AS doubtful,"
                " count(DISTINCT CASE WHEN p.unread IS NOT NULL THEN p.id END) AS unread"
                f" FROM pages p LEFT JOIN spans s ON s.page_id = p.id WHERE p.document_id IN ({marks})"
                " GROUP BY p.document_id",
                part,
            )
            for row in map(dict, rows):
                counted[row.pop("document")] = row
        return counted
