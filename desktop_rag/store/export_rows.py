"""The rows of an exported collection: their tables, what they must be, and the digest by which they prove themselves.

An export is a database of its own with no more in it than these tables. Everything in it is scrubbed; `entries` and
`aliases`, which lead back to the replaced values, are empty unless their owner asked for them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sqlcipher3 import dbapi2 as sqlite

from desktop_rag.errors import StoreError
from desktop_rag.privacy.scrub import POLICIES
from desktop_rag.store.connection import Connection

FORMAT = 1
TABLES = {
    "manifest": "name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL",
    "encoders": "id INTEGER NOT NULL PRIMARY KEY, fingerprint TEXT NOT NULL, card TEXT NOT NULL,"
    " dimension INTEGER NOT NULL",
    "documents": "id TEXT NOT NULL PRIMARY KEY, content TEXT NOT NULL UNIQUE, name TEXT NOT NULL, format TEXT,"
    " language TEXT, policy TEXT NOT NULL, pages INTEGER, pages_read INTEGER, pages_ocr INTEGER",
    "pages": "document TEXT NOT NULL, ordinal INTEGER NOT NULL, number INTEGER, locator TEXT, unread TEXT,"
    " confidence REAL, text TEXT NOT NULL, PRIMARY KEY (document, ordinal)",
    "spans": "document TEXT NOT NULL, page INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,"
    " label TEXT NOT NULL, score REAL NOT NULL, entry INTEGER, alias INTEGER",
    "chunks": "document TEXT NOT NULL, ordinal INTEGER NOT NULL, page INTEGER NOT NULL, start INTEGER NOT NULL,"
    " end INTEGER NOT NULL, context TEXT NOT NULL, PRIMARY KEY (document, ordinal)",
    "vectors": "document TEXT NOT NULL, chunk INTEGER NOT NULL, encoder INTEGER NOT NULL, vector BLOB NOT NULL,"
    " PRIMARY KEY (document, chunk, encoder)",
    "entries": "id INTEGER NOT NULL PRIMARY KEY, label TEXT NOT NULL, number INTEGER NOT NULL",
    "aliases": "id INTEGER NOT NULL PRIMARY KEY, entry INTEGER NOT NULL, folded TEXT NOT NULL, value TEXT NOT NULL,"
    " substitute TEXT",
}
_ROWS = tuple(name for name in TABLES if name != "manifest")
_WRONG = {
    "documents": f"policy NOT IN ({', '.join(repr(str(policy)) for policy in POLICIES)})",
    "pages": "document NOT IN (SELECT id FROM documents)",
    "spans": "NOT EXISTS (SELECT 1 FROM pages p WHERE p.document = t.document AND p.ordinal = t.page"
    " AND 0 <= t.start AND t.start <= t.end AND t.end <= length(p.text))"
    " OR (t.entry IS NOT NULL AND t.entry NOT IN (SELECT id FROM entries))"
    " OR (t.alias IS NOT NULL AND t.alias NOT IN (SELECT id FROM aliases WHERE entry = t.entry))",
    "chunks": "NOT EXISTS (SELECT 1 FROM pages p WHERE p.document = t.document AND p.ordinal = t.page"
    " AND 0 <= t.start AND t.start <= t.end AND t.end <= length(p.text))",
    "vectors": "NOT EXISTS (SELECT 1 FROM chunks k WHERE k.document = t.document AND k.ordinal = t.chunk)"
    " OR NOT EXISTS (SELECT 1 FROM encoders e WHERE e.id = t.encoder AND 2 * e.dimension = length(t.vector))",
    "aliases": "entry NOT IN (SELECT id FROM entries)",
}
"""By table what no row `t` of it may be: everything else is left to the columns' types."""


def connect(database: Path, raw: bytes) -> Connection:
    """A connection to an export's database, new or not, that runs nothing which may be hidden in it."""
    connection = sqlite.connect(str(database), isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite.Row
    connection.execute(f"PRAGMA key = \"x'{raw.hex()}'\"")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def create(connection: Connection) -> None:
    """The empty tables."""
    for name, columns in TABLES.items():
        connection.execute(_script(name, columns))


def content(document: dict[str, Any], pages: Iterable[Any], chunks: Iterable[Any]) -> str:
    """The digest of one document's scrubbed content: the same wherever the export is read."""
    digest = hashlib.sha256(_canonical([document[name] for name in ("id", "name", "format", "language", "policy")]))
    for rows in (pages, chunks):
        for row in rows:
            digest.update(_canonical(row))
        digest.update(b"\0")
    return digest.hexdigest()


def seal_rows(connection: Connection, facts: dict[str, Any]) -> None:
    """Write the manifest of the rows that are there now."""
    counts, digest = _measured(connection)
    manifest = {**facts, "format": FORMAT, "counts": counts, "sha256": digest}
    rows = [(name, json.dumps(value)) for name, value in manifest.items()]
    connection.executemany("INSERT INTO manifest VALUES (?, ?)", rows)


def verified(connection: Connection) -> dict[str, Any]:
    """The manifest of an export all of which is as it says. Raises StoreError("damaged" | "newer_schema")."""
    try:
        tables = {
            row[0]: row[1] for row in connection.execute("SELECT name, sql FROM sqlite_master WHERE sql NOT NULL")
        }
        if tables.get("manifest") != _script("manifest", TABLES["manifest"]):
            raise disagrees()
        manifest: dict[str, Any] = {row[0]: json.loads(row[1]) for row in connection.execute("SELECT * FROM manifest")}
        if type(manifest.get("format")) is int and manifest["format"] > FORMAT:
            raise newer()
        # Nothing but these tables, as they are made here: no view, no trigger, no column that is something else.
        whole = tables == {name: _script(name, columns) for name, columns in TABLES.items()}
        if not (whole and _sound(manifest)) or any(_is_wrong(connection, name) for name in _WRONG):
            raise disagrees()
        if _measured(connection) != (manifest["counts"], manifest["sha256"]) or not _numbers(connection):
            raise disagrees()
    except (sqlite.DatabaseError, ValueError, TypeError, OverflowError) as error:
        raise disagrees() from error
    return manifest


def disagrees() -> StoreError:
    """What is said of an export whose parts do not agree."""
    return StoreError(
        "damaged",
        "This export is damaged: what is in it is not what it says. Nothing was imported.",
        "Use another copy of it, or have it exported anew.",
    )


def newer() -> StoreError:
    """What is said of an export in a format that is not known yet."""
    return StoreError(
        "newer_schema", "This export was made by a newer version of the application.", "Update the application."
    )


def _script(name: str, columns: str) -> str:
    return f"CREATE TABLE {name} ({columns}) STRICT"


def _sound(manifest: dict[str, Any]) -> bool:
    texts = all(isinstance(manifest.get(name), str) and manifest[name] for name in ("uuid", "name", "policy"))
    return texts and manifest["policy"] in POLICIES and isinstance(manifest.get("encoders"), dict)


def _is_wrong(connection: Connection, table: str) -> bool:
    return connection.execute(f"SELECT 1 FROM {table} t WHERE {_WRONG[table]} LIMIT 1").fetchone() is not None


def _numbers(connection: Connection) -> bool:
    """Whether every vector is one of numbers: a single NaN would spoil every search."""
    rows = connection.execute("SELECT vector FROM vectors")
    return all(bool(np.isfinite(np.frombuffer(row[0], dtype=np.float16)).all()) for row in rows)


def _measured(connection: Connection) -> tuple[dict[str, int], str]:
    """How many rows each table has, and one digest of them all, in an order that does not depend on their writing."""
    digest, counts = hashlib.sha256(), {}
    for name in _ROWS:
        counts[name] = 0
        for row in _in_order(connection, name):
            digest.update(_canonical(row))
            counts[name] += 1
        digest.update(name.encode() + b"\0")
    return counts, digest.hexdigest()


def _in_order(connection: Connection, table: str) -> Iterator[tuple[Any, ...]]:
    columns = range(1, TABLES[table].split(" PRIMARY KEY (", maxsplit=1)[0].count(",") + 2)
    keyed = {"pages": "1, 2", "chunks": "1, 2", "vectors": "1, 2, 3", "spans": ", ".join(map(str, columns))}
    rows = connection.execute(f"SELECT * FROM {table} ORDER BY {keyed.get(table, '1')}")
    return (tuple(row) for row in rows)


def _canonical(row: Iterable[Any]) -> bytes:
    """A row as bytes that no other row has."""
    parts = []
    for value in row:
        raw = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=True).encode("ascii")
        parts.append(f"{type(value).__name__} {len(raw)} ".encode("ascii") + raw)
    return b"".join(parts) + b"\n"
