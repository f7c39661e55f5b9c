"""A collection whose vectors lie on a team's server too: where that is, and which of its passages is which there.

A passage is called `{beginning of its document's digest}:{its place in the document}` there: every member who imported
the same export finds their own passage by it, and it says nothing to anybody else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from desktop_rag.store.connection import Connection, transaction

DIGITS = 32
"""So much of a digest's 64 is enough to tell documents apart."""
_NAME = re.compile(rf"([0-9a-f]{{{DIGITS}}}):([0-9]{{1,12}})")
_ENCODED = (
    " FROM documents d JOIN collections c ON c.id = d.collection_id JOIN chunks k ON k.document_id = d.id"
    " JOIN vectors v ON v.chunk_id = k.id AND v.encoder_id = c.encoder_id"
)
_OF_COLLECTION = f"{_ENCODED} WHERE d.collection_id = ?"
_PLACES = f"SELECT k.ordinal{_ENCODED} WHERE d.id = ? ORDER BY k.ordinal"
_AS_SENT = " AND d.served IS NOT NULL AND d.served_as_of IS d.updated"


def server(connection: Connection, collection: int) -> str | None:
    """The address of the server that is asked beside the own vectors."""
    row = connection.execute("SELECT server FROM collections WHERE id = ?", (collection,)).fetchone()
    return row[0] if row else None


def server_of(connection: Connection, document: str) -> str | None:
    """The address of the server that has a document's vectors."""
    query = (
        "SELECT c.server FROM documents d JOIN collections c ON c.id = d.collection_id"
        " WHERE d.id = ? AND d.served IS NOT NULL"
    )
    row = connection.execute(query, (document,)).fetchone()
    return row[0] if row else None


def set_server(connection: Connection, collection: int, address: str | None) -> None:
    """Ask this one from now on, or none."""
    with transaction(connection):
        connection.execute("UPDATE collections SET server = ? WHERE id = ?", (address, collection))


def name_there(uuid: str) -> str:
    """What a collection is called on a server."""
    return f"desktop-rag-{uuid.replace('-', '')}"


def is_imported(connection: Connection, collection: int) -> bool:
    """Whether somebody else made the collection and exported it."""
    row = connection.execute("SELECT imported FROM collections WHERE id = ?", (collection,)).fetchone()
    return row is not None and row[0] is not None


def name_imported(connection: Connection, collection: int) -> None:
    """Name documents that came with an export by the digests they came with."""
    with transaction(connection):
        connection.execute(
            "UPDATE documents SET served = substr(content, 1, ?), served_as_of = updated"
            " WHERE collection_id = ? AND content IS NOT NULL AND served IS NULL",
            (DIGITS, collection),
        )


def name_documents(connection: Connection, digests: Mapping[str, str | None]) -> None:
    """Name documents as they are now by their digests; one without is not on the server."""
    rows = [(digest and digest[:DIGITS], document) for document, digest in digests.items()]
    with transaction(connection):
        connection.executemany("UPDATE documents SET served = ?, served_as_of = updated WHERE id = ?", rows)


def passages(connection: Connection, collection: int) -> int:
    """How many passages of a collection should be there."""
    return int(connection.execute(f"SELECT count(*){_OF_COLLECTION}{_AS_SENT}", (collection,)).fetchone()[0])


def page(connection: Connection, collection: int, after: int, limit: int) -> tuple[list[str], int | None]:
    """The names of some whole documents' passages, and what to ask for the next ones `after`; None after the last.

    As many documents as have `limit` passages together.
    """
    rows = connection.execute(
        f"SELECT rowid, id, served FROM documents d WHERE collection_id = ?{_AS_SENT} AND rowid > ? ORDER BY rowid",
        (collection, after),
    )
    names: list[str] = []
    for row in rows:
        places = connection.execute(_PLACES, (row[1],))
        names += [f"{row[2]}:{place[0]}" for place in places]
        if len(names) >= limit:
            return names, int(row[0])
    return names, None


def vectors(connection: Connection, collection: int, names: Sequence[str]) -> dict[str, bytes]:
    """By name the vectors, as float16, of those of the passages that are as they should be there."""
    return {name: row[0] for name, row in _named(connection, collection, names, "v.vector", _AS_SENT)}


def chunks(connection: Connection, collection: int, names: Sequence[str]) -> dict[str, int]:
    """By name the ids of those of the passages that are here."""
    return {name: int(row[0]) for name, row in _named(connection, collection, names, "k.id", "")}


def not_sent(connection: Connection, collection: int, limit: int) -> list[int]:
    """Up to so many passages that are not on the server, or are otherwise there."""
    query = (
        f"SELECT k.id{_OF_COLLECTION} AND (d.served IS NULL OR d.served_as_of IS NOT d.updated) ORDER BY k.id LIMIT ?"
    )
    return [int(row[0]) for row in connection.execute(query, (collection, limit))]


def _named(
    connection: Connection, collection: int, names: Sequence[str], what: str, condition: str
) -> Iterator[tuple[str, Any]]:
    query = f"SELECT {what}{_OF_COLLECTION}{condition} AND d.served = ? AND k.ordinal = ?"
    for name in names:
        # A server may say anything.
        parts = _NAME.fullmatch(name)
        row = connection.execute(query, (collection, parts[1], int(parts[2]))).fetchone() if parts else None
        if row is not None:
            yield name, row
