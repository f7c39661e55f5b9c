"""Questions whose right passages a person named: what the search is measured by. The questions are scrubbed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from desktop_rag.privacy.scrub import put_back
from desktop_rag.store.connection import Connection, transaction


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a document: the ordinal of its page, and offsets in the page's original text."""

    document: str
    page: int
    start: int
    end: int


class Judged:
    """Queries on the judged questions."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def all(self) -> list[dict[str, Any]]:
        """Every question {id, question, message, created}, the newest first."""
        rows = self._db.execute("SELECT id, question, message_id AS message, created FROM judged ORDER BY id DESC")
        return [dict(row) for row in rows]

    def spots(self, judged: int) -> list[Spot]:
        """The right passages of a question."""
        query = "SELECT document_id, page, start, end FROM judged_passages WHERE judged_id = ? ORDER BY rowid"
        return [Spot(*row) for row in self._db.execute(query, (judged,))]

    def add(self, question: str, spots: Sequence[Spot], message: str | None = None) -> int:
        """Keep a question; the same one, or the same message, anew takes the place of the earlier one."""
        with transaction(self._db):
            self._db.execute("DELETE FROM judged WHERE question = ? OR message_id = ?", (question, message))
            number = self._db.execute(
                "INSERT INTO judged (question, created, message_id) VALUES (?, ?, ?)", (question, time.time(), message)
            ).lastrowid
            self._db.executemany(
                "INSERT INTO judged_passages VALUES (?, ?, ?, ?, ?)",
                [(number, spot.document, spot.page, spot.start, spot.end) for spot in spots],
            )
        return int(number)

    def remove(self, judged: Sequence[int]) -> None:
        """Forget questions, in the caller's transaction."""
        self._db.executemany("DELETE FROM judged WHERE id = ?", [(number,) for number in judged])

    def remove_message(self, message: str) -> None:
        """Forget the question of an answer."""
        with transaction(self._db):
            self._db.execute("DELETE FROM judged WHERE message_id = ?", (message,))

    def forget(self, document: str) -> int:
        """Forget, in the caller's transaction, every question about a document; returns how many."""
        about = "SELECT judged_id FROM judged_passages WHERE document_id = ?"
        return int(self._db.execute(f"DELETE FROM judged WHERE id IN ({about})", (document,)).rowcount)

    def mend(self, document: str, tokens: Mapping[str, str]) -> None:
        """Put tokens for some words, in the caller's transaction, into the questions about a document."""
        rows = self._db.execute(
            "SELECT DISTINCT j.id, j.question FROM judged j JOIN judged_passages p ON p.judged_id = j.id"
            " WHERE p.document_id = ?",
            (document,),
        ).fetchall()
        self._db.executemany(
            "UPDATE judged SET question = ? WHERE id = ?",
            [(put_back(row["question"], tokens), row["id"]) for row in rows],
        )
