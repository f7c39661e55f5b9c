"""Removing a document: text, vectors, lexical rows, quotes and vault entries nothing else uses, then a search that proves it."""

from __future__ import annotations

from typing import Any

from desktop_rag.store.connection import transaction
from desktop_rag.store.vault import delete_entries, unused_entries
from desktop_rag.workers.library import Library


def remove_document(library: Library, document: str) -> dict[str, Any]:
    """Erase one document everywhere; returns its receipt. Raises StoreError("not_found")."""
    row = library.documents.row(document)
    collection = row["collection_id"]
    chunks = [c["chunk"] for c in library.documents.chunks(document)]
    with transaction(library.db):
        for at in range(0, len(chunks), 500):
            library.lexical.remove(chunks[at : at + 500])
        quotes = library.conversations.unquote(document)
        library.db.execute("DELETE FROM documents WHERE id = ?", (document,))
        entries = unused_entries(library.db, collection)
        delete_entries(library.db, entries)
    library.forget_vault(collection)
    library.vectors.changed(collection)
    if chunks and library.private(collection):
        library.ensure_parity(collection)
        library.chroma.remove(collection, chunks)
    library.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return {
        "document": document,
        "name": row["name"],
        "chunks": len(chunks),
        "vault_entries": len(entries),
        "answers_blanked": quotes,
        "verified": _absent(library, document, chunks),
    }


def _absent(library: Library, document: str, chunks: list[int]) -> bool:
    """Whether no table and no cache knows the document any more."""
    if library.db.execute("SELECT 1 FROM documents WHERE id = ?", (document,)).fetchone():
        return False
    for at in range(0, len(chunks), 500):
        part = chunks[at : at + 500]
        marks = ",".join("?" * len(part))
        for table, column in (("chunks", "id"), ("vectors", "chunk_id"), ("postings", "chunk_id")):
            if library.db.execute(f"SELECT 1 FROM {table} WHERE {column} IN ({marks}) LIMIT 1", part).fetchone():
                return False
    return True
