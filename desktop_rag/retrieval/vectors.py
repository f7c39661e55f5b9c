"""The truth about vectors: float16 rows in the encrypted database, and exact search over them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from desktop_rag.retrieval.encode import EncoderCard, Vectors

Matrix = tuple[np.ndarray[Any, np.dtype[np.int64]], Vectors]


class VectorStore:
    """Vectors by chunk id. Writing happens in the caller's transaction; each collection's matrix is cached."""

    def __init__(self, connection: Any) -> None:
        self._db = connection
        self._cache: dict[int, Matrix] = {}

    def encoder_id(self, card: EncoderCard) -> int:
        """The id under which this encoder's vectors are kept."""
        self._db.execute(
            "INSERT OR IGNORE INTO encoders (fingerprint, card, dimension) VALUES (?, ?, ?)",
            (card.fingerprint, json.dumps(card.details), card.dimension),
        )
        return int(self._db.execute("SELECT id FROM encoders WHERE fingerprint = ?", (card.fingerprint,)).fetchone()[0])

    def add(self, encoder: int, vectors: Mapping[int, Vectors]) -> None:
        """Store vectors [dimension] by chunk id."""
        rows = [(chunk, encoder, vector.astype(np.float16).tobytes()) for chunk, vector in vectors.items()]
        self._db.executemany("INSERT OR REPLACE INTO vectors (chunk_id, encoder_id, vector) VALUES (?, ?, ?)", rows)

    def changed(self, collection: int) -> None:
        """Forget the cached matrix after documents came or went."""
        self._cache.pop(collection, None)

    def count(self, collection: int | None = None) -> int:
        """How many chunks have a vector."""
        row = self._db.execute(
            "SELECT count(*) FROM vectors v JOIN chunks k ON k.id = v.chunk_id JOIN documents d ON d.id = k.document_id"
            " WHERE ? IS NULL OR d.collection_id = ?",
            (collection, collection),
        ).fetchone()
        return int(row[0])

    def matrix(self, collection: int) -> Matrix:
        """Chunk ids [n] and their vectors float32 [n, dimension], sorted by id."""
        if collection not in self._cache:
            rows = self._db.execute(
                "SELECT v.chunk_id, v.vector FROM vectors v JOIN chunks k ON k.id = v.chunk_id"
                " JOIN documents d ON d.id = k.document_id WHERE d.collection_id = ? ORDER BY v.chunk_id",
                (collection,),
            ).fetchall()
            ids = np.array([row[0] for row in rows], dtype=np.int64)
            blob = b"".join(row[1] for row in rows)
            vectors = (
                np.frombuffer(blob, dtype=np.float16).astype(np.float32).reshape(len(rows), -1)
                if rows
                else np.zeros((0, 0), np.float32)
            )
            self._cache[collection] = (ids, vectors)
        return self._cache[collection]

    def ids(self, collection: int) -> list[int]:
        """The chunks of a collection that have a vector, sorted."""
        rows = self._db.execute(
            "SELECT v.chunk_id FROM vectors v JOIN chunks k ON k.id = v.chunk_id"
            " JOIN documents d ON d.id = k.document_id WHERE d.collection_id = ? ORDER BY v.chunk_id",
            (collection,),
        )
        return [row[0] for row in rows]

    def get(self, chunks: Sequence[int]) -> dict[int, Vectors]:
        """The vectors of some chunks."""
        marks = ",".join("?" * len(chunks))
        rows = self._db.execute(f"SELECT chunk_id, vector FROM vectors WHERE chunk_id IN ({marks})", list(chunks))
        return {row[0]: np.frombuffer(row[1], dtype=np.float16).astype(np.float32) for row in rows}

    def search(self, query: Vectors, collection: int, limit: int) -> dict[int, float]:
        """The `limit` nearest chunks with their cosine, by exact comparison with every vector."""
        ids, vectors = self.matrix(collection)
        if not len(ids):
            return {}
        scores = vectors @ query
        best = np.argpartition(-scores, limit - 1)[:limit] if limit < len(ids) else np.arange(len(ids))
        return {int(ids[i]): float(scores[i]) for i in best}
