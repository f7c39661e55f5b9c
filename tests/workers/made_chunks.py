"""Passages with vectors put straight into a library, so many that Chroma writes its graph to files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from desktop_rag.store.connection import transaction

if TYPE_CHECKING:
    from desktop_rag.retrieval.encode import Vectors
    from desktop_rag.workers.library import Library


def directions(count: int, dimension: int = 384) -> Vectors:
    """So many directions, uniform on the sphere."""
    made = np.random.default_rng(11).normal(size=(count, dimension)).astype(np.float32)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), dtype=np.float32)


def put(library: Library, name: str, texts: Sequence[str], vectors: Vectors) -> str:
    """One ready document of a passage a text, in the default collection; returns its id."""
    home = library.default_collection()["id"]
    with transaction(library.db):
        encoder = library.vectors.encoder_id(library.encoder.card)
        library.collections.set_encoder(home, encoder)
    document = library.documents.add(Path(f"/nowhere/{name}"), home, "pseudonymise", False)
    with transaction(library.db):
        chunks = [_chunk(library, document, at, text) for at, text in enumerate(texts)]
        library.vectors.add(encoder, dict(zip(chunks, vectors, strict=True)))
    library.documents.update(document, state="ready", encoded=1, language="en")
    library.vectors.changed(home)
    return document


def _chunk(library: Library, document: str, ordinal: int, text: str) -> int:
    row = (document, ordinal, text)
    page = library.db.execute("INSERT INTO pages (document_id, ordinal, text) VALUES (?, ?, ?)", row).lastrowid
    chunk = int(
        library.db.execute(
            "INSERT INTO chunks (document_id, page_id, ordinal, start, end, context, length)"
            " VALUES (?, ?, ?, 0, ?, '', 0)",
            (document, page, ordinal, len(text)),
        ).lastrowid
    )
    length = library.lexical.add(chunk, text)
    library.db.execute("UPDATE chunks SET length = ? WHERE id = ?", (length, chunk))
    return chunk
