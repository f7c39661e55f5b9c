"""A made-up collection in a library, written as documents are: pages, passages, words, and the vectors made for them.

Nothing is encoded: the vectors are kept as if the encoder for English had made them. Runs in a worker.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from desktop_rag.documents.chunk import Chunk
from desktop_rag.evaluation.growth_text import PASSAGES, Prose
from desktop_rag.store.connection import transaction
from desktop_rag.workers.cleaning import VERSIONS, write_chunk
from desktop_rag.workers.library import Library

COLLECTION = "made up"
_DOCUMENTS_A_STEP = 10
_BETWEEN = "\n\n"
Event = dict[str, Any]


def fill(library: Library, chunks: int) -> Iterator[Event]:
    """Write so many passages; yields "progress"."""
    # What can be made again need not be forced onto the disk.
    library.db.execute("PRAGMA synchronous=OFF")
    collection = int(library.collections.create(COLLECTION, "pseudonymise", review=False)["id"])
    card = library.encoder.card
    with transaction(library.db):
        encoder = library.vectors.encoder_id(card)
        library.collections.set_encoder(collection, encoder)
    prose, documents = Prose(card.dimension), chunks // PASSAGES
    for at in range(0, documents, _DOCUMENTS_A_STEP):
        yield {"event": "progress", "text": f"making {chunks:,} passages {100 * at // documents} %"}
        with transaction(library.db):
            for number in range(at, min(documents, at + _DOCUMENTS_A_STEP)):
                passages = prose.document(number)
                ids = _write(library, collection, f"{number}.txt", [prose.text(ranks) for ranks in passages])
                vectors = [prose.vector(ranks) for ranks in passages]
                library.vectors.add(encoder, dict(zip(ids, vectors, strict=True)))
    library.vectors.changed(collection)


def _write(library: Library, collection: int, name: str, passages: Sequence[str]) -> list[int]:
    document, now = uuid.uuid4().hex[:16], time.time()
    # A path of its own: else each would count as a newer version of the one before.
    columns = {
        "id": document,
        "collection_id": collection,
        "path": name,
        "name": name,
        "language": "en",
        "policy": "pseudonymise",
        "review": 0,
        "state": "ready",
        "encoded": 1,
        "looked_through": 1,
        "added": now,
        "updated": now,
        **VERSIONS,
    }
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    library.db.execute(f"INSERT INTO documents ({names}) VALUES ({marks})", list(columns.values()))
    text = _BETWEEN.join(passages)
    page = library.db.execute(
        "INSERT INTO pages (document_id, ordinal, text) VALUES (?, 0, ?)", (document, text)
    ).lastrowid
    ids, start = [], 0
    for ordinal, passage in enumerate(passages):
        piece = Chunk(0, start, start + len(passage), "")
        ids.append(write_chunk(library, document, page, text, ordinal, piece))
        start += len(passage) + len(_BETWEEN)
    return ids
