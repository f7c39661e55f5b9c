"""The vault's rows: who hides behind which pseudonym, one vault per collection."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from desktop_rag.privacy.vault import Entry, Vault
from desktop_rag.store.connection import Connection


class StoredVault:
    """Writes a vault's entries into the open transaction of the caller."""

    def __init__(self, connection: Connection, collection: int) -> None:
        self._db = connection
        self._collection = collection

    def add_entry(self, label: str) -> tuple[int, int]:
        """See VaultRows. A number is unique over all collections and never given twice.

        A pseudonym in an old conversation must not come to mean somebody else once its entry is erased.
        """
        number = self._db.execute(
            "INSERT INTO numbers (label, last) VALUES (?, 1)"
            " ON CONFLICT (label) DO UPDATE SET last = last + 1 RETURNING last",
            (label,),
        ).fetchone()[0]
        cursor = self._db.execute(
            "INSERT INTO entries (collection_id, label, number) VALUES (?, ?, ?)", (self._collection, label, number)
        )
        return int(cursor.lastrowid), int(number)

    def add_alias(self, entry: int, folded: str, value: str) -> None:
        """See VaultRows."""
        self._db.execute(
            "INSERT OR IGNORE INTO aliases (entry_id, folded, value) VALUES (?, ?, ?)", (entry, folded, value)
        )


class StoredSubstitutes:
    """SubstituteRows of one collection; writes into the open transaction of the caller."""

    def __init__(self, connection: Connection, collection: int, indexed: Callable[[str], bool]) -> None:
        self._db = connection
        self._collection = collection
        self._indexed = indexed

    def key(self) -> bytes:
        """See SubstituteRows. It goes with its collection."""
        query = "SELECT secret FROM collections WHERE id = ?"
        secret = self._db.execute(query, (self._collection,)).fetchone()[0]
        if secret is None:
            secret = os.urandom(32)
            self._db.execute("UPDATE collections SET secret = ? WHERE id = ?", (secret, self._collection))
        return bytes(secret)

    def add_substitute(self, entry: int, folded: str, substitute: str) -> None:
        """See SubstituteRows."""
        self._db.execute(
            "UPDATE aliases SET substitute = ? WHERE entry_id = ? AND folded = ?", (substitute, entry, folded)
        )

    def occurs(self, text: str) -> bool:
        """See SubstituteRows."""
        return self._indexed(text)


def open_vault(connection: Connection, collection: int) -> Vault:
    """Load the collection's vault into memory."""
    entries = {
        row["id"]: Entry(row["id"], row["label"], row["number"])
        for row in connection.execute(
            "SELECT id, label, number FROM entries WHERE collection_id = ? ORDER BY id", (collection,)
        )
    }
    rows = connection.execute(
        "SELECT entry_id, folded, value, substitute FROM aliases a JOIN entries e ON e.id = a.entry_id"
        " WHERE e.collection_id = ? ORDER BY a.id",
        (collection,),
    )
    for row in rows:
        entries[row["entry_id"]].aliases[row["folded"]] = row["value"]
        if row["substitute"] is not None:
            entries[row["entry_id"]].substitutes[row["folded"]] = row["substitute"]
    return Vault(StoredVault(connection, collection), entries.values())


def delete_unused(
    connection: Connection, collection: int, among: Sequence[int] | None = None
) -> tuple[list[int], list[int]]:
    """Delete, inside the caller's transaction, the entries and the spellings that no span of any document refers to.

    A spelling that only an erased document had must not live on with a person whom others mention too.
    Only entries `among` these are looked at, if given. Returns the ids of both.
    """
    entries = "SELECT id FROM entries WHERE collection_id = ?"
    if among is not None:
        entries += f" AND id IN ({','.join(str(int(entry)) for entry in among)})"
    unused = connection.execute(
        f"{entries} AND NOT EXISTS (SELECT 1 FROM spans WHERE entry_id = entries.id)", (collection,)
    ).fetchall()
    spellings = connection.execute(
        f"SELECT id FROM aliases WHERE entry_id IN ({entries})"
        " AND NOT EXISTS (SELECT 1 FROM spans WHERE alias_id = aliases.id)",
        (collection,),
    ).fetchall()
    connection.executemany("DELETE FROM aliases WHERE id = ?", [tuple(row) for row in spellings])
    delete_entries(connection, gone := [row[0] for row in unused])
    return gone, [row[0] for row in spellings]


def delete_entries(connection: Connection, ids: list[int]) -> None:
    """Delete entries with their aliases, inside the caller's transaction."""
    connection.executemany("DELETE FROM entries WHERE id = ?", [(entry,) for entry in ids])
