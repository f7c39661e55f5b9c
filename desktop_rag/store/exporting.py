"""Copying one collection of the library into an export: scrubbed rows only, all of one moment.

Places are those in the scrubbed text. Where and how long the replaced values were, the hash and size of the user's file
and its path stay here: a short value could be found again by trying.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from desktop_rag.store.connection import Connection, transaction
from desktop_rag.store.export_rows import connect, content, seal_rows
from desktop_rag.store.key import Key

Step = Callable[[str, int], None]
"""Told what is done and how much of it in percent; may raise to stop."""

_OF = "document_id = ?"
_PAGES = (
    f"SELECT ordinal, number, locator, unread, confidence, coalesce(text, '') FROM pages WHERE {_OF} ORDER BY ordinal"
)
_CHUNKS = (
    "SELECT k.ordinal, p.ordinal, k.start, k.end, k.context FROM chunks k JOIN pages p ON p.id = k.page_id"
    f" WHERE k.{_OF} ORDER BY k.ordinal"
)
_SPANS = (
    "SELECT p.ordinal, s.scrubbed_start, s.scrubbed_end, s.label, s.score, s.entry_id, s.alias_id"
    f" FROM spans s JOIN pages p ON p.id = s.page_id WHERE p.{_OF} AND s.replace = 1 AND s.scrubbed_start IS NOT NULL"
)
_VECTORS = (
    f"SELECT k.ordinal, v.encoder_id, v.vector FROM vectors v JOIN chunks k ON k.id = v.chunk_id WHERE k.{_OF}"
    " AND v.encoder_id IN (?, ?)"
)


def identity(connection: Connection, collection: int) -> str:
    """What a collection is recognised by on other computers; made at the first time of asking."""
    with transaction(connection):
        connection.execute(
            "UPDATE collections SET uuid = coalesce(uuid, ?) WHERE id = ?", (str(uuid.uuid4()), collection)
        )
    return str(connection.execute("SELECT uuid FROM collections WHERE id = ?", (collection,)).fetchone()[0])


def copy_collection(
    database: Path,
    key: Key,
    target: Connection,
    collection: int,
    name: str,
    names: Mapping[str, str],
    step: Step,
    *,
    originals: bool = False,
) -> None:
    """Write the documents in `names` (by id, as they may be called) into an export called `name`."""
    with closing(connect(database, key.raw)) as source:
        # One moment: what is committed from here on is not seen.
        source.execute("BEGIN")
        row = dict(source.execute("SELECT * FROM collections WHERE id = ?", (collection,)).fetchone())
        encoders = (row["encoder_id"], row["next_encoder_id"])
        for number in {each for each in encoders if each is not None}:
            query = "SELECT id, fingerprint, card, dimension FROM encoders WHERE id = ?"
            target.execute(
                "INSERT INTO encoders VALUES (?, ?, ?, ?)", tuple(source.execute(query, (number,)).fetchone())
            )
        for done, (document, called) in enumerate(names.items()):
            step("exporting", 100 * done // len(names))
            _copy_document(source, target, document, called, encoders, originals=originals)
        if originals:
            _copy_vault(source, target, collection)
    step("exporting", 100)
    facts = {**_facts(row), "name": name, "originals": originals}
    seal_rows(target, {**facts, "secret": _secret(row) if originals else None})


def _facts(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "uuid": row["uuid"],
        "policy": row["policy"],
        "fusion": row["fusion"],
        "encoders": {
            "in_use": row["encoder_id"],
            "next": row["next_encoder_id"],
            "chosen": bool(row["encoder_chosen"]),
        },
        "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def _secret(row: Mapping[str, Any]) -> str | None:
    return row["secret"].hex() if row["secret"] else None


def digest(connection: Connection, document: str, name: str) -> str | None:
    """What every member of a team recognises a document by that is called so; None while it is not indexed."""
    row = _document(connection, document, name)
    return None if row is None else str(row["content"])


def _document(connection: Connection, document: str, name: str) -> dict[str, Any] | None:
    """A document's own values with its digest, and its pages and chunks as "rows"; None while it is not indexed."""
    query = (
        "SELECT id, content, format, language, policy, pages, pages_read, pages_ocr FROM documents"
        " WHERE id = ? AND encoded = 1 AND state IN ('ready', 'partly_read')"
    )
    found = connection.execute(query, (document,)).fetchone()
    if found is None:
        return None
    row = {**dict(found), "name": name}
    pages = [tuple(each) for each in connection.execute(_PAGES, (document,))]
    chunks = [tuple(each) for each in connection.execute(_CHUNKS, (document,))]
    # What was imported keeps the digest it came with: by it every member recognises the document.
    row["content"] = row["content"] or content(row, pages, chunks)
    return {**row, "rows": (pages, chunks)}


def _copy_document(
    source: Connection,
    target: Connection,
    document: str,
    name: str,
    encoders: tuple[int | None, int | None],
    *,
    originals: bool,
) -> None:
    row = _document(source, document, name)
    if row is None:  # it went, or is being read again
        return
    pages, chunks = row.pop("rows")
    columns = ("id", "content", "name", "format", "language", "policy", "pages", "pages_read", "pages_ocr")
    target.execute(f"INSERT INTO documents VALUES ({_marks(columns)})", [row[column] for column in columns])
    spans = [tuple(each) for each in source.execute(_SPANS, (document,))]
    if not originals:
        spans = [(*each[:5], None, None) for each in spans]
    vectors = [tuple(each) for each in source.execute(_VECTORS, (document, *encoders))]
    for table, rows in (("pages", pages), ("chunks", chunks), ("spans", spans), ("vectors", vectors)):
        if rows:
            made = [(document, *each) for each in rows]
            target.executemany(f"INSERT INTO {table} VALUES ({_marks(made[0])})", made)


def _copy_vault(source: Connection, target: Connection, collection: int) -> None:
    query = "SELECT id, label, number FROM entries WHERE collection_id = ?"
    entries = [tuple(each) for each in source.execute(query, (collection,))]
    target.executemany("INSERT INTO entries VALUES (?, ?, ?)", entries)
    query = (
        "SELECT a.id, a.entry_id, a.folded, a.value, a.substitute FROM aliases a JOIN entries e ON e.id = a.entry_id"
        " WHERE e.collection_id = ?"
    )
    aliases = [tuple(each) for each in source.execute(query, (collection,))]
    target.executemany("INSERT INTO aliases VALUES (?, ?, ?, ?, ?)", aliases)


def _marks(values: Any) -> str:
    return ", ".join("?" * len(values))
