"""The vault's rows: who hides behind which pseudonym, one vault per collection."""

from __future__ import annotations

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


def open_vault(connection: Connection, collection: int) -> Vault:
    """Load the collection's vault into memory."""
    entries = {
        row["id"]: Entry(row["id"], row["label"], row["number"])
        for row in connection.execute(
            "SELECT id, label, number FROM entries WHERE collection_id = ? ORDER BY id", (collection,)
        )
    }
    rows = connection.execute(
        "SELECT entry_id, folded, value FROM aliases a JOIN entries e ON e.id = a.entry_id"
        " WHERE e.collection_id = ? ORDER BY a.id",
        (collection,),
    )
    for row in rows:
        entries[row["entry_id"]].aliases[row["folded"]] = row["value"]
    return Vault(StoredVault(connection, collection), entries.values())


def delete_unused(connection: Connection, collection: int) -> tuple[list[int], list[int]]:
    """Delete, inside the caller's transaction, the entries and the spellings that no span of any document refers to.

    A spelling that only an erased document had must not live on with a person whom others mention too.
    Returns the ids of both.
    """
    entries = "SELECT id FROM entries WHERE collection_id = ?"
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
