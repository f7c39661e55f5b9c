"""Removing a document: text, vectors, lexical rows, quotes, vault entries nothing else uses; then a search as proof."""

from __future__ import annotations

from typing import Any

from desktop_rag.errors import DesktopRagError
from desktop_rag.store.connection import transaction
from desktop_rag.store.vault import delete_entries, unused_entries
from desktop_rag.workers.library import Library


def remove_document(library: Library, document: str) -> dict[str, Any]:
    """Erase one document everywhere; returns its receipt. Raises StoreError("not_found")."""
    row = library.documents.row(document)
    collection = row["collection_id"]
    with transaction(library.db):
        chunks = _drop_passages(library, document)
        quotes = library.conversations.unquote(document)
        library.db.execute("DELETE FROM documents WHERE id = ?", (document,))
        entries = unused_entries(library.db, collection)
        delete_entries(library.db, entries)
    _forget(library, collection, chunks)
    library.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return {
        "document": document,
        "name": row["name"],
        "chunks": len(chunks),
        "vault_entries": len(entries),
        "answers_blanked": quotes,
        "verified": _absent(library, document, chunks, entries) and _cache_agrees(library, collection),
    }


def fail_document(library: Library, document: str, error: DesktopRagError) -> None:
    """Record why a document could not be indexed; no passage, term, vector or vault entry of a half-made one stays."""
    collection = library.documents.row(document)["collection_id"]
    with transaction(library.db):
        chunks = _drop_passages(library, document)
    library.documents.fail(document, error)
    with transaction(library.db):
        delete_entries(library.db, unused_entries(library.db, collection))
    _forget(library, collection, chunks)


def _drop_passages(library: Library, document: str) -> list[int]:
    """Take a document's chunks out of the index and the database, in the caller's transaction; returns their ids."""
    chunks = [c["chunk"] for c in library.documents.chunks(document)]
    for at in range(0, len(chunks), 500):
        library.lexical.remove(chunks[at : at + 500])
    library.db.execute("DELETE FROM chunks WHERE document_id = ?", (document,))
    return chunks


def _forget(library: Library, collection: int, chunks: list[int]) -> None:
    """Bring what is kept beside the database up to date after chunks and vault entries went."""
    library.forget_vault(collection)
    library.vectors.changed(collection)
    if chunks:
        library.recache(collection, lambda: library.chroma.remove(collection, chunks))


def _cache_agrees(library: Library, collection: int) -> bool:
    """Whether Chroma holds as many vectors as the database still has."""
    if not library.private(collection):
        return True
    library.ensure_parity(collection)
    return library.chroma.count(collection) == library.vectors.count(collection)


def _absent(library: Library, document: str, chunks: list[int], entries: list[int]) -> bool:
    """Whether no table and no cache knows the document any more."""
    if library.db.execute("SELECT 1 FROM documents WHERE id = ?", (document,)).fetchone():
        return False
    of_chunks = (("chunks", "id"), ("vectors", "chunk_id"), ("postings", "chunk_id"))
    of_entries = (("entries", "id"), ("aliases", "entry_id"))
    return not (
        any(_holds(library, table, column, chunks) for table, column in of_chunks)
        or any(_holds(library, table, column, entries) for table, column in of_entries)
    )


def _holds(library: Library, table: str, column: str, ids: list[int]) -> bool:
    for at in range(0, len(ids), 500):
        part = ids[at : at + 500]
        marks = ",".join("?" * len(part))
        if library.db.execute(f"SELECT 1 FROM {table} WHERE {column} IN ({marks}) LIMIT 1", part).fetchone():
            return True
    return False
