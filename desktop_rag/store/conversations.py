"""Conversations and their messages; every text in them is scrubbed."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from desktop_rag.errors import StoreError
from desktop_rag.privacy.scrub import put_back
from desktop_rag.store.connection import Connection, transaction

_TITLE_LENGTH = 60
# An answer and a question that repeat what was erased.
_GONE = {
    "assistant": "This answer quoted a document that has been removed.",
    "user": "This question quoted a document that has been removed.",
}


class Conversations:
    """Queries on conversations and messages; rows are plain mappings."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def all(self) -> list[dict[str, Any]]:
        """Every conversation, the latest first."""
        rows = self._db.execute(
            "SELECT v.id, v.title, c.name AS collection, v.created, v.updated,"
            " (SELECT count(*) FROM messages WHERE conversation_id = v.id) AS messages"
            " FROM conversations v LEFT JOIN collections c ON c.id = v.collection_id ORDER BY v.updated DESC"
        )
        return [dict(row) for row in rows]

    def one(self, conversation: str) -> dict[str, Any]:
        """A conversation with its messages in order. Raises StoreError("not_found")."""
        row = self._db.execute(
            "SELECT v.id, v.title, v.collection_id, c.name AS collection FROM conversations v"
            " LEFT JOIN collections c ON c.id = v.collection_id WHERE v.id = ?",
            (conversation,),
        ).fetchone()
        if row is None:
            raise StoreError("not_found", "There is no such conversation.", "It may have been deleted.")
        messages = self._db.execute(
            "SELECT id, parent_id AS parent, role, text, created, data FROM messages WHERE conversation_id = ?"
            " ORDER BY created, rowid",
            (conversation,),
        )
        parsed = [{**dict(m), "data": json.loads(m["data"]) if m["data"] else None} for m in messages]
        return {**dict(row), "messages": parsed}

    def add_question(self, conversation: str | None, collection: int | None, text: str) -> tuple[str, str]:
        """Store a scrubbed question, in a new conversation if none is named; returns (conversation, message)."""
        now = time.time()
        with transaction(self._db):
            if conversation is None:
                conversation = uuid.uuid4().hex[:16]
                self._db.execute(
                    "INSERT INTO conversations (id, title, collection_id, created, updated) VALUES (?, ?, ?, ?, ?)",
                    (conversation, _title(text), collection, now, now),
                )
            return conversation, self._insert(conversation, "user", text, None, now)

    def add_answer(self, conversation: str, text: str, data: dict[str, Any], documents: Iterable[str]) -> str:
        """Store an answer and which documents it quotes; returns the message's id.

        The model read the earlier answers too, so this one may repeat what they quote.
        """
        with transaction(self._db):
            message = self._insert(conversation, "assistant", text, data, time.time())
            self._db.executemany(
                "INSERT OR IGNORE INTO quotes VALUES (?, ?)", [(message, document) for document in documents]
            )
            self._db.execute(
                "INSERT OR IGNORE INTO quotes SELECT ?, q.document_id FROM quotes q"
                " JOIN messages m ON m.id = q.message_id WHERE m.conversation_id = ?",
                (message, conversation),
            )
        return message

    def rename(self, conversation: str, title: str) -> None:
        """Give a conversation another title."""
        with transaction(self._db):
            self._db.execute(
                "UPDATE conversations SET title = ? WHERE id = ?", (title.strip()[:200] or "Untitled", conversation)
            )

    def delete(self, conversation: str) -> None:
        """Remove a conversation with all its messages."""
        with transaction(self._db):
            self._db.execute("DELETE FROM conversations WHERE id = ?", (conversation,))

    def unquote(self, document: str) -> int:
        """Blank, in the caller's transaction, every answer that quotes a document; returns how many."""
        rows = self._db.execute("SELECT message_id FROM quotes WHERE document_id = ?", (document,)).fetchall()
        self.blank([row[0] for row in rows])
        self._db.execute("DELETE FROM quotes WHERE document_id = ?", (document,))
        return len(rows)

    def mend(self, document: str, tokens: Mapping[str, str]) -> None:
        """Put tokens for some words, in the caller's transaction, into the conversations that quote a document."""
        quoting = "IN (SELECT conversation_id FROM quotes JOIN messages ON id = message_id WHERE document_id = ?)"
        said_there = f"SELECT id, text, data FROM messages WHERE conversation_id {quoting}"
        for row in self._db.execute(said_there, (document,)).fetchall():
            said, data = put_back(row["text"], tokens), _mended(json.loads(row["data"] or "null"), tokens)
            for sentence in (data or {}).get("sentences") or ():
                for end in ("start", "end"):
                    sentence[end] = len(put_back(row["text"][: sentence[end]], tokens))
            data = json.dumps(data) if data else None
            self._db.execute("UPDATE messages SET text = ?, data = ? WHERE id = ?", (said, data, row["id"]))
        for row in self._db.execute(f"SELECT id, title FROM conversations WHERE id {quoting}", (document,)).fetchall():
            title = put_back(row["title"], tokens)
            self._db.execute("UPDATE conversations SET title = ? WHERE id = ?", (title, row["id"]))

    def texts(self, at_a_time: int) -> Iterator[list[tuple[str, str, str]]]:
        """Every message's id, role and all its text, its data included, so many at a time."""
        last = -1
        query = (
            "SELECT rowid, id, role, text || char(10) || coalesce(data, '') AS said FROM messages WHERE rowid > ?"
            " ORDER BY rowid LIMIT ?"
        )
        while rows := self._db.execute(query, (last, at_a_time)).fetchall():
            yield [(row["id"], row["role"], row["said"]) for row in rows]
            last = rows[-1]["rowid"]

    def blank(self, messages: Iterable[str]) -> None:
        """Replace, in the caller's transaction, messages by a sentence; with a first question goes the title."""
        for message in messages:
            for role, gone in _GONE.items():
                self._db.execute(
                    "UPDATE messages SET text = ?, data = NULL WHERE id = ? AND role = ?", (gone, message, role)
                )
            first = self._db.execute(
                "SELECT conversation_id FROM messages WHERE id = ? AND role = 'user' AND parent_id IS NULL", (message,)
            ).fetchone()
            self.untitle([first[0]] if first else [])

    def untitle(self, conversations: Iterable[str]) -> None:
        """Take, in the caller's transaction, the titles of conversations away."""
        self._db.executemany(
            "UPDATE conversations SET title = 'Untitled' WHERE id = ?",
            [(conversation,) for conversation in conversations],
        )

    def _insert(self, conversation: str, role: str, text: str, data: dict[str, Any] | None, now: float) -> str:
        message = uuid.uuid4().hex[:16]
        last = self._db.execute(
            "SELECT id FROM messages WHERE conversation_id = ? ORDER BY created DESC, rowid DESC LIMIT 1",
            (conversation,),
        ).fetchone()
        self._db.execute(
            "INSERT INTO messages (id, conversation_id, parent_id, role, text, data, created)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (message, conversation, last[0] if last else None, role, text, json.dumps(data) if data else None, now),
        )
        self._db.execute("UPDATE conversations SET updated = ? WHERE id = ?", (now, conversation))
        return message


def _mended(value: Any, tokens: Mapping[str, str]) -> Any:
    """JSON with tokens for some words in all its texts."""
    if isinstance(value, str):
        return put_back(value, tokens)
    if isinstance(value, list):
        return [_mended(item, tokens) for item in value]
    return {key: _mended(item, tokens) for key, item in value.items()} if isinstance(value, dict) else value


def _title(text: str) -> str:
    one_line = " ".join(text.split())
    if len(one_line) <= _TITLE_LENGTH:
        return one_line
    return one_line[:_TITLE_LENGTH].rsplit(" ", 1)[0] + "…"
