"""Removing a document: text, vectors, lexical rows, quotes, vault entries nothing else uses; then a search as proof."""

from __future__ import annotations

from typing import Any

from desktop_rag.errors import DesktopRagError
from desktop_rag.retrieval.encode import Vectors
from desktop_rag.store.connection import transaction
from desktop_rag.store.vault import delete_unused
from desktop_rag.workers.library import Library

_VECTOR_SAMPLE = 50


def remove_document(library: Library, document: str) -> dict[str, Any]:
    """Erase one document everywhere, with those found inside its file; returns its receipt.

    Raises StoreError("not_found").
    """
    row = library.documents.row(document)
    inside = [remove_document(library, child) for child in library.documents.children(document)]
    collection = row["collection_id"]
    vectors = _uncache(library, document, collection)
    library.kv.empty()
    with transaction(library.db):
        chunks = _drop_passages(library, document)
        quotes = library.conversations.unquote(document)
        library.db.execute("DELETE FROM documents WHERE id = ?", (document,))
        entries, aliases = delete_unused(library.db, collection)
    _forget(library, collection)
    library.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return {
        "document": document,
        "name": row["name"],
        "chunks": len(chunks) + sum(receipt["chunks"] for receipt in inside),
        "vault_entries": len(entries) + sum(receipt["vault_entries"] for receipt in inside),
        "answers_blanked": quotes + sum(receipt["answers_blanked"] for receipt in inside),
        "documents_inside": len(inside) + sum(receipt["documents_inside"] for receipt in inside),
        "verified": all(receipt["verified"] for receipt in inside)
        and _absent(library, document, chunks, entries, aliases)
        and not library.chroma.holds(vectors)
        and library.kv.is_empty(),
    }


def remove_superseded(library: Library) -> None:
    """Erase earlier versions of files whose newer one is indexed: a kill may have come between the two."""
    for document in library.documents.superseded():
        remove_document(library, document)


def fail_document(library: Library, document: str, error: DesktopRagError) -> None:
    """Record why a document could not be indexed; no passage, term, vector or vault entry of a half-made one stays."""
    collection = library.documents.row(document)["collection_id"]
    _uncache(library, document, collection)
    with transaction(library.db):
        _drop_passages(library, document)
    library.documents.fail(document, error)
    with transaction(library.db):
        delete_unused(library.db, collection)
    _forget(library, collection)


def _uncache(library: Library, document: str, collection: int) -> list[Vectors]:
    """Take a document's vectors out of Chroma's files; returns some of them, to look for afterwards.

    This comes before the database forgets them: a kill in between costs a cache, not a secret.
    """
    chunks = [c["chunk"] for c in library.documents.chunks(document)]
    vectors = library.vectors.get(chunks[:_VECTOR_SAMPLE])
    if vectors and library.private(collection):
        library.drop_cache()
    return list(vectors.values())


def _drop_passages(library: Library, document: str) -> list[int]:
    """Take a document's chunks out of the index and the database, in the caller's transaction; returns their ids."""
    chunks = [c["chunk"] for c in library.documents.chunks(document)]
    for at in range(0, len(chunks), 500):
        library.lexical.remove(chunks[at : at + 500])
    library.db.execute("DELETE FROM chunks WHERE document_id = ?", (document,))
    return chunks


def _forget(library: Library, collection: int) -> None:
    """Bring what is kept in memory up to date after chunks and vault entries went."""
    library.forget_vault(collection)
    library.vectors.changed(collection)


def _absent(library: Library, document: str, chunks: list[int], entries: list[int], aliases: list[int]) -> bool:
    """Whether no table knows the document any more."""
    for table, column in (("documents", "id"), ("journal", "document_id")):
        if library.db.execute(f"SELECT 1 FROM {table} WHERE {column} = ?", (document,)).fetchone():
            return False
    of_chunks = (("chunks", "id"), ("vectors", "chunk_id"), ("postings", "chunk_id"))
    of_entries = (("entries", "id"), ("aliases", "entry_id"))
    return not (
        any(_holds(library, table, column, chunks) for table, column in of_chunks)
        or any(_holds(library, table, column, entries) for table, column in of_entries)
        or _holds(library, "aliases", "id", aliases)
    )


def _holds(library: Library, table: str, column: str, ids: list[int]) -> bool:
    for at in range(0, len(ids), 500):
        part = ids[at : at + 500]
        marks = ",".join("?" * len(part))
        if library.db.execute(f"SELECT 1 FROM {table} WHERE {column} IN ({marks}) LIMIT 1", part).fetchone():
            return True
    return False
