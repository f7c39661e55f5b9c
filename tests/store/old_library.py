"""A library as an earlier version left it: the words of passages are rows, one for each word of each passage."""

from __future__ import annotations

import sys
from pathlib import Path

from sqlcipher3 import dbapi2 as sqlite

from desktop_rag.store.connection import open_database
from desktop_rag.store.key import Key
from desktop_rag.store.migrations import _PACKED_WORDS, MIGRATIONS

KEY = Key(bytes(32), "file")
BEFORE = MIGRATIONS.index(_PACKED_WORDS)
"""The version before the words were packed."""


def connect(path: Path) -> sqlite.Connection:
    """The database as it is, without a migration."""
    db = sqlite.connect(str(path), isolation_level=None)
    db.execute(f"PRAGMA key = \"x'{KEY.raw.hex()}'\"")
    return db


def make(path: Path, passages: int, words: int) -> None:
    """One document of passages with so many words each; word 1 is in all of them."""
    db = connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    for script in MIGRATIONS[:BEFORE]:
        for statement in script.split(";\n"):
            db.execute(statement)
    db.execute(f"PRAGMA user_version = {BEFORE}")
    db.execute("BEGIN")
    db.execute("INSERT INTO collections (id, name, policy, review, created) VALUES (1, 'One', 'mask', 0, 0)")
    db.execute(
        "INSERT INTO documents (id, collection_id, path, name, policy, review, state, added, updated)"
        " VALUES ('d', 1, '/d', 'd', 'mask', 0, 'ready', 0, 0)"
    )
    db.execute("INSERT INTO pages (id, document_id, ordinal, text) VALUES (1, 'd', 0, 'text')")
    db.executemany("INSERT INTO terms VALUES (?, ?)", [(n, f"word{n}") for n in range(1, 2 * words + 1)])
    db.executemany(
        "INSERT INTO chunks (id, document_id, page_id, ordinal, start, end, context, length)"
        " VALUES (?, 'd', 1, ?, 0, 4, '', ?)",
        [(n, n, words) for n in range(1, passages + 1)],
    )
    rows = (
        (1 if at == 0 else 2 + (n * 7 + at) % (2 * words - 1), n, 1)
        for n in range(1, passages + 1)
        for at in range(words)
    )
    db.executemany("INSERT OR IGNORE INTO postings VALUES (?, ?, ?)", rows)
    db.execute("COMMIT")
    db.close()


if __name__ == "__main__":
    # In a process of its own, which is killed meanwhile.
    print("begun", flush=True)
    open_database(Path(sys.argv[1]), KEY).close()
    print("done", flush=True)
