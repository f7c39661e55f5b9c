"""Documents, their pages, the spans of personal data in them, and their chunks.

A document's life is in its `state`; a kill at any point leaves a state from which `unfinished` resumes:
waiting and reading start over with what the journal has of them, cleaning and indexing redo the cleaning
from the stored decisions, and `encoded = 0` with chunks present only encodes.
"""

from __future__ import annotations

import json
import os
import re
import time
import uuid
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path, PurePosixPath
from typing import Any

from desktop_rag.errors import DesktopRagError, StoreError
from desktop_rag.privacy.scrub import POLICIES
from desktop_rag.store.connection import Connection, transaction

_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED = re.compile("\0([0-9a-f]{4})")
FINAL = ("ready", "partly_read", "failed")
UNFINISHED = ("waiting", "reading", "cleaning", "indexing")
_COLUMNS = (
    "d.id, d.name, d.path, d.collection_id, d.parent_id, c.name AS collection, d.state, d.error, d.pages, d.pages_read,"
    " d.pages_ocr, d.language, d.size, d.added, d.format, d.title, d.policy, d.review, d.sha256, d.encoded, d.member"
)


ForgetWords = Callable[[Sequence[int]], object]
"""Takes chunks out of the index of words, in the caller's transaction; the database refuses to drop others."""
_CHUNKS_AT_ONCE = 500


class Documents:
    """Queries on documents, pages, spans and chunks; rows are plain mappings."""

    def __init__(self, connection: Connection, forget_words: ForgetWords = lambda chunks: None) -> None:
        self._db = connection
        self._forget_words = forget_words

    def add(self, path: Path, collection: int, policy: str, review: bool) -> str:
        """A new row in state waiting; returns its id."""
        identity = uuid.uuid4().hex[:16]
        now = time.time()
        with transaction(self._db):
            self._db.execute(
                "INSERT INTO documents (id, collection_id, path, name, policy, review, state, added, updated)"
                " VALUES (?, ?, ?, ?, ?, ?, 'waiting', ?, ?)",
                (identity, collection, stored(path), _readable(path.name), policy, int(review), now, now),
            )
        return identity

    def add_child(self, parent: str, name: str, sha256: str, size: int) -> str:
        """A new row for a file inside the file of another document, in state waiting; returns its id."""
        identity = uuid.uuid4().hex[:16]
        now = time.time()
        above = self.row(parent)
        with transaction(self._db):
            self._db.execute(
                "INSERT INTO documents (id, collection_id, parent_id, path, member, name, sha256, size, policy, review,"
                " state, added, updated) SELECT ?, collection_id, id, path, ?, ?, ?, ?, policy, review, 'waiting', ?, ?"
                " FROM documents WHERE id = ?",
                (
                    *(identity, json.dumps([*above["member"], name]), _readable(PurePosixPath(name).name), sha256),
                    *(size, now, now, parent),
                ),
            )
        return identity

    def children(self, document: str) -> list[str]:
        """The documents that were found inside this one's file, in their order there."""
        rows = self._db.execute("SELECT id FROM documents WHERE parent_id = ? ORDER BY added, rowid", (document,))
        return [row[0] for row in rows]

    def root(self, document: str) -> dict[str, Any]:
        """The document whose file lies on the disk: itself, or the one that this one was found in."""
        row = self.row(document)
        while row["parent_id"] is not None:
            row = self.row(row["parent_id"])
        return row

    def row(self, document: str) -> dict[str, Any]:
        """One document. Raises StoreError("not_found")."""
        row = self._db.execute(
            f"SELECT {_COLUMNS} FROM documents d JOIN collections c ON c.id = d.collection_id WHERE d.id = ?",
            (document,),
        ).fetchone()
        if row is None:
            raise StoreError(
                "not_found", f"There is no document “{document}”.", "It may have been removed; list the documents."
            )
        return _with_path(row)

    def exists(self, document: str) -> bool:
        """Whether there still is such a document."""
        return self._db.execute("SELECT 1 FROM documents WHERE id = ?", (document,)).fetchone() is not None

    def identity(self, named: str) -> str:
        """The id of a document named by its id, or by its file name where only one has it."""
        found = self._db.execute("SELECT id FROM documents WHERE name = ? LIMIT 2", (named,)).fetchall()
        return str(found[0][0]) if len(found) == 1 else named

    def rows(self, collection: int | None = None) -> list[dict[str, Any]]:
        """All documents, of one collection or of all, in the order they were added."""
        return [
            _with_path(row)
            for row in self._db.execute(
                f"SELECT {_COLUMNS} FROM documents d JOIN collections c ON c.id = d.collection_id"
                " WHERE ? IS NULL OR d.collection_id = ? ORDER BY d.added, d.rowid",
                (collection, collection),
            )
        ]

    def unfinished(self) -> list[str]:
        """Documents whose indexing was interrupted (those that wait for a person's review are not)."""
        rows = self._db.execute(
            "SELECT id FROM documents WHERE state IN ('waiting', 'reading', 'cleaning', 'indexing')"
            " ORDER BY added, rowid"
        )
        return [row[0] for row in rows]

    def known(self, collection: int, sha256: str, policy: str) -> str | None:
        """The document of this content in this collection, whatever its path was; none that lies in another one."""
        row = self._db.execute(
            "SELECT id FROM documents WHERE collection_id = ? AND sha256 = ? AND (policy = ? OR own_policy)"
            " AND state != 'failed' AND parent_id IS NULL ORDER BY added",
            (collection, sha256, policy),
        ).fetchone()
        return row[0] if row else None

    def at_path(self, collection: int, path: Path) -> list[str]:
        """Documents that were read from this path, without those that lie in others."""
        rows = self._db.execute(
            "SELECT id FROM documents WHERE collection_id = ? AND path = ? AND parent_id IS NULL",
            (collection, stored(path)),
        )
        return [row[0] for row in rows]

    def under(self, collection: int, folder: Path) -> list[dict[str, Any]]:
        """id, path, size, modified, sha256 and state of the documents whose files lie in this folder or below it."""
        prefix = stored(folder).rstrip("/\\") + os.sep
        rows = self._db.execute(
            "SELECT id, path, size, modified, sha256, state FROM documents WHERE collection_id = ?"
            " AND parent_id IS NULL AND substr(path, 1, ?) = ? ORDER BY added, rowid",
            (collection, len(prefix), prefix),
        )
        return [{**dict(row), "path": restored(row["path"])} for row in rows]

    def superseded(self) -> list[str]:
        """Documents of whose path a newer version is indexed."""
        rows = self._db.execute(
            "SELECT old.id FROM documents old WHERE old.parent_id IS NULL AND old.path <> ''"
            " AND EXISTS (SELECT 1 FROM documents new"
            " WHERE new.parent_id IS NULL AND new.collection_id = old.collection_id AND new.path = old.path"
            " AND new.state IN ('ready', 'partly_read') AND (new.added, new.rowid) > (old.added, old.rowid))"
        )
        return [row[0] for row in rows]

    def update(self, document: str, **values: Any) -> None:
        """Set columns of one document."""
        values["updated"] = time.time()
        names = ", ".join(f"{name} = ?" for name in values)
        with transaction(self._db):
            self._db.execute(f"UPDATE documents SET {names} WHERE id = ?", (*values.values(), document))

    def move(self, document: str, path: Path) -> None:
        """Remember where the file of a document lies now; it is the newest version of what lies there."""
        self.update(document, path=stored(path), name=_readable(path.name), added=time.time())
        inside = self.children(document)
        while inside:
            child = inside.pop()
            self.update(child, path=stored(path))
            inside += self.children(child)

    def fail(self, document: str, error: DesktopRagError) -> None:
        """Record why a document could not be read; nothing half-made of it stays."""
        cause = json.dumps(error.cause())
        with transaction(self._db):
            self.drop_passages(document)
            for table in ("pages", "journal"):
                self._db.execute(f"DELETE FROM {table} WHERE document_id = ?", (document,))
            self._db.execute(
                "UPDATE documents SET state = 'failed', error = ?, encoded = 0, updated = ? WHERE id = ?",
                (cause, time.time(), document),
            )

    def drop_passages(self, document: str) -> None:
        """Take a document's chunks away, and what was made of them, in the caller's transaction."""
        query = "SELECT id FROM chunks WHERE document_id = ?"
        chunks = [row[0] for row in self._db.execute(query, (document,))]
        for at in range(0, len(chunks), _CHUNKS_AT_ONCE):
            self._forget_words(chunks[at : at + _CHUNKS_AT_ONCE])
        self._db.execute("DELETE FROM chunks WHERE document_id = ?", (document,))

    def store_findings(self, document: str, pages: Sequence[dict[str, Any]]) -> None:
        """Pages without text plus the spans found: all a review needs to be resumed. Replaces earlier ones."""
        with transaction(self._db):
            self.drop_passages(document)
            self._db.execute("DELETE FROM pages WHERE document_id = ?", (document,))
            for ordinal, page in enumerate(pages):
                cursor = self._db.execute(
                    "INSERT INTO pages (document_id, ordinal, number, locator, unread, confidence)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    (
                        *(document, ordinal, page["number"], page["locator"]),
                        *(page.get("unread"), page.get("confidence")),
                    ),
                )
                self._db.executemany(
                    "INSERT INTO spans (page_id, start, end, label, score, replace, doubtful)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [
                        (
                            *(cursor.lastrowid, s["start"], s["end"], s["label"], s["score"], int(s["replace"])),
                            int(s.get("doubtful") or 0),
                        )
                        for s in page["spans"]
                    ],
                )

    def page_rows(self, document: str) -> list[dict[str, Any]]:
        """The document's pages in order: id, ordinal, number, locator, unread, confidence, text."""
        rows = self._db.execute(
            "SELECT id, ordinal, number, locator, unread, confidence, text FROM pages WHERE document_id = ?"
            " ORDER BY ordinal",
            (document,),
        )
        return [dict(row) for row in rows]

    def doubtful(self, document: str, below: float) -> list[int]:
        """The numbers of the pages that text recognition read with less confidence than this, in order."""
        rows = self._db.execute(
            "SELECT DISTINCT number FROM pages WHERE document_id = ? AND confidence < ? AND number IS NOT NULL"
            " ORDER BY number",
            (document, below),
        )
        return [row[0] for row in rows]

    def spans(self, page: int) -> list[dict[str, Any]]:
        """The spans of a page in order."""
        rows = self._db.execute(
            "SELECT id, start, end, scrubbed_start, scrubbed_end, label, score, replace, entry_id FROM spans"
            " WHERE page_id = ? ORDER BY start",
            (page,),
        )
        return [dict(row) for row in rows]

    def chunks(self, document: str) -> list[dict[str, Any]]:
        """The chunks of a document with their text, in order."""
        return [
            dict(row)
            for row in self._db.execute(f"{CHUNK_QUERY} WHERE k.document_id = ? ORDER BY k.ordinal", (document,))
        ]

    def chunk_rows(self, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Chunks by id, with text, page and document name."""
        # One value, however many ids: SQLite takes a limited number of values.
        rows = self._db.execute(
            f"{CHUNK_QUERY} WHERE k.id IN (SELECT value FROM json_each(?))", (json.dumps([int(one) for one in ids]),)
        )
        return {row["chunk"]: dict(row) for row in rows}

    def chunks_there(self, ids: Sequence[int]) -> set[int]:
        """Those of the chunks that are there."""
        rows = self._db.execute(
            "SELECT id FROM chunks WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps([int(one) for one in ids]),),
        )
        return {int(row[0]) for row in rows}

    def chunks_near(self, chunk: int, reach: int) -> list[dict[str, Any]]:
        """The chunk and those up to `reach` before and after it in its document, in order."""
        rows = self._db.execute(
            f"{CHUNK_QUERY} JOIN chunks c ON c.document_id = k.document_id AND c.id = ?"
            " WHERE k.ordinal BETWEEN c.ordinal - ? AND c.ordinal + ? ORDER BY k.ordinal",
            (chunk, reach, reach),
        )
        return [dict(row) for row in rows]

    def unencoded(self, document: str, encoder: int) -> list[dict[str, Any]]:
        """Chunks that have no vector by this encoder yet."""
        rows = self._db.execute(
            f"{CHUNK_QUERY} LEFT JOIN vectors v ON v.chunk_id = k.id AND v.encoder_id = ?"
            " WHERE k.document_id = ? AND v.chunk_id IS NULL ORDER BY k.ordinal",
            (encoder, document),
        )
        return [dict(row) for row in rows]

    def all_unencoded(self, collection: int, encoder: int, limit: int) -> list[dict[str, Any]]:
        """Up to `limit` chunks of a collection's indexed documents that have no vector by this encoder yet."""
        rows = self._db.execute(
            f"{CHUNK_QUERY} LEFT JOIN vectors v ON v.chunk_id = k.id AND v.encoder_id = ?"
            " WHERE d.collection_id = ? AND d.encoded = 1 AND v.chunk_id IS NULL LIMIT ?",
            (encoder, collection, limit),
        )
        return [dict(row) for row in rows]

    def passages(self, collection: int) -> int:
        """How many chunks a collection has."""
        query = "SELECT count(*) FROM chunks k JOIN documents d ON d.id = k.document_id WHERE d.collection_id = ?"
        return int(self._db.execute(query, (collection,)).fetchone()[0])

    def analysed_before(self, version: str) -> list[str]:
        """Indexed documents whose words were made by another version of the analyser."""
        query = "SELECT id FROM documents WHERE encoded = 1 AND analyser_version IS NOT ? ORDER BY updated"
        return [row[0] for row in self._db.execute(query, (version,))]

    def unanalysed(self, document: str) -> bool:
        """Whether the words of a document's passages are not in the index yet."""
        row = self._db.execute("SELECT analyser_version FROM documents WHERE id = ?", (document,)).fetchone()
        return row is not None and row[0] is None

    def languages(self, collection: int) -> dict[str, int]:
        """How many documents of a collection are in each language, where that could be told."""
        query = (
            "SELECT language, count(*) FROM documents WHERE collection_id = ? AND language IS NOT NULL"
            " GROUP BY language"
        )
        return {row[0]: row[1] for row in self._db.execute(query, (collection,))}

    def policies(self, collections: Sequence[int]) -> set[str]:
        """The policies under which the documents of some collections were cleaned."""
        query = "SELECT 1 FROM documents WHERE collection_id = ? AND policy = ? LIMIT 1"
        each = product(collections, POLICIES)
        return {policy for one, policy in each if self._db.execute(query, (one, policy)).fetchone()}

    def counts(self, document: str) -> tuple[int, dict[str, int]]:
        """Number of chunks, and of replaced values by class."""
        chunks = self._db.execute("SELECT count(*) FROM chunks WHERE document_id = ?", (document,)).fetchone()[0]
        labels = self._db.execute(
            "SELECT label, count(*) FROM spans JOIN pages p ON p.id = page_id WHERE p.document_id = ? AND replace = 1"
            " GROUP BY label ORDER BY label",
            (document,),
        ).fetchall()
        return chunks, {row[0]: row[1] for row in labels}


# substr counts from 1; offsets are code points, as SQLite's text functions count
CHUNK_QUERY = (
    "SELECT k.id AS chunk, k.document_id AS document, d.name, d.language, d.collection_id, k.ordinal,"
    " p.id AS page_id, p.number AS page, p.locator, k.start, k.end, k.context, k.length, k.instruction_like,"
    " substr(p.text, k.start + 1, k.end - k.start) AS text"
    " FROM chunks k JOIN pages p ON p.id = k.page_id JOIN documents d ON d.id = k.document_id"
)


def stored(path: Path) -> str:
    """A path as SQLite takes it: lone surrogates (no UTF-8) are written after a NUL, which no path has."""
    return _SURROGATE.sub(lambda found: f"\0{ord(found[0]):04x}", str(path))


def restored(path: str) -> str:
    """A path as the system takes it."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), path)


def _with_path(row: Any) -> dict[str, Any]:
    return {**dict(row), "path": restored(row["path"]), "member": json.loads(row["member"]) if row["member"] else []}


def _readable(name: str) -> str:
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", name)
