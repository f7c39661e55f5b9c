"""The truth about vectors: float16 rows in the encrypted database, and search over all of them.

A chunk has a vector by each encoder that is at work on its collection: by the one in use, and while the encoder is
being changed by the next one too. Reading means those of the encoder in use, unless one is named.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from desktop_rag.retrieval.encode import EncoderCard, Vectors

Ids = np.ndarray[Any, np.dtype[np.int64]]
Halves = np.ndarray[Any, np.dtype[np.float16]]
Codes = np.ndarray[Any, np.dtype[np.uint64]]
Matrix = tuple[Ids, Halves]
# So many rows become float32 at once: a whole matrix would be twice its size more in memory. This costs 1 ms per 1 000.
_BLOCK = 4096
# Beyond a block only what the signs of the vectors find likely is compared exactly: one in so many, but at least
# so many times what is asked for.
_ONE_IN, _TIMES = 40, 20
# SQLite takes so many values in one statement, at least.
_ASKED_AT_ONCE = 900
_OF_COLLECTION = (
    " FROM documents d JOIN collections c ON c.id = d.collection_id JOIN chunks k ON k.document_id = d.id"
    " JOIN vectors v ON v.chunk_id = k.id AND v.encoder_id = coalesce(?, c.encoder_id)"
)


class VectorStore:
    """Vectors by chunk id. Writing happens in the caller's transaction; each collection's matrix is cached."""

    def __init__(self, connection: Any) -> None:
        self._db = connection
        self._cache: dict[int, Matrix] = {}
        self._stale: set[int] = set()
        # By collection, a bit for each number of its matrix, 64 in one, and the mean that they are compared with.
        self._signs: dict[int, tuple[Codes, Halves]] = {}
        # Chunks whose vectors were written since their collection's matrix was read.
        self._written: set[int] = set()
        # Collections that are being loaded, each with what tells its latest loading.
        self._loading: dict[int, object] = {}

    def encoder_id(self, card: EncoderCard) -> int:
        """The id under which this encoder's vectors are kept."""
        self._db.execute(
            "INSERT INTO encoders (fingerprint, card, dimension) VALUES (?, ?, ?)"
            " ON CONFLICT (fingerprint) DO UPDATE SET card = excluded.card WHERE card <> excluded.card",
            (card.fingerprint, json.dumps(card.details), card.dimension),
        )
        return int(self._db.execute("SELECT id FROM encoders WHERE fingerprint = ?", (card.fingerprint,)).fetchone()[0])

    def add(self, encoder: int, vectors: Mapping[int, Vectors]) -> None:
        """Store vectors [dimension] by chunk id."""
        rows = [(chunk, encoder, vector.astype(np.float16).tobytes()) for chunk, vector in vectors.items()]
        self._db.executemany("INSERT OR REPLACE INTO vectors (chunk_id, encoder_id, vector) VALUES (?, ?, ?)", rows)
        if self._cache or self._loading:
            self._written.update(vectors)

    def changed(self, collection: int) -> None:
        """Bring the cached matrix up to date at its next use: documents came or went."""
        self._stale.add(collection)

    def forget(self, collection: int) -> None:
        """Give the cached matrix back; after a change of encoder nothing of it is right."""
        self._cache.pop(collection, None)
        self._signs.pop(collection, None)
        self._loading.pop(collection, None)

    def count(self, collection: int | None = None, encoder: int | None = None) -> int:
        """How many chunks have a vector by the encoder in use, or by `encoder`."""
        row = self._db.execute(
            f"SELECT count(*){_OF_COLLECTION} WHERE ? IS NULL OR d.collection_id = ?", (encoder, collection, collection)
        ).fetchone()
        return int(row[0])

    def any(self, collection: int) -> bool:
        """Whether a chunk of the collection has a vector by the encoder in use."""
        query = f"SELECT 1{_OF_COLLECTION} WHERE d.collection_id = ? LIMIT 1"
        return self._db.execute(query, (None, collection)).fetchone() is not None

    def load(self, collection: int) -> Iterator[None]:
        """Read the matrix before it is needed, in steps; what changes meanwhile is seen to at its first use."""
        if collection in self._cache:
            return
        mine = self._loading[collection] = object()
        self._stale.discard(collection)
        matrix = yield from self._read_in_steps(self.ids(collection))
        if self._loading.get(collection) is mine:
            del self._loading[collection]
            self._cache.setdefault(collection, matrix)

    def matrix(self, collection: int) -> Matrix:
        """Chunk ids [n] and their vectors float16 [n, dimension], sorted by id."""
        if collection not in self._cache:
            self._cache[collection] = self._read(self.ids(collection))
        elif collection in self._stale:
            self._cache[collection] = self._renewed(self._cache[collection], self.ids(collection))
            self._signs.pop(collection, None)
        self._stale.discard(collection)
        return self._cache[collection]

    def ids(self, collection: int) -> list[int]:
        """The chunks of a collection that have a vector, sorted."""
        rows = self._db.execute(
            f"SELECT v.chunk_id{_OF_COLLECTION} WHERE d.collection_id = ? ORDER BY v.chunk_id", (None, collection)
        )
        return [row[0] for row in rows]

    def get(self, chunks: Sequence[int]) -> dict[int, Vectors]:
        """The vectors of some chunks."""
        return {chunk: _of_numbers(vector).astype(np.float32) for chunk, vector in self._halves(chunks).items()}

    def search(self, query: Vectors, collection: int, limit: int) -> dict[int, float]:
        """The `limit` nearest chunks with their exact cosine.

        Up to some thousand vectors all are compared. Of more, those whose signs agree most with the query's.
        """
        ids, vectors = self.matrix(collection)
        if not len(ids):
            return {}
        rows = np.arange(len(ids))
        if len(ids) > _BLOCK:
            rows = self._likely(query, collection, max(len(ids) // _ONE_IN, _TIMES * limit))
        scores = np.empty(len(rows), dtype=np.float32)
        for at in range(0, len(rows), _BLOCK):
            part = rows[at : at + _BLOCK]
            scores[at : at + _BLOCK] = vectors[part].astype(np.float32) @ query
        best = _largest(scores, limit)
        return {int(ids[rows[i]]): float(scores[i]) for i in best}

    def scores(self, query: Vectors, collections: Sequence[int], chunks: Sequence[int]) -> dict[int, float]:
        """The exact cosines of those of the chunks that are in the collections and have a vector."""
        if all(collection in self._cache for collection in collections):
            return self._held_scores(query, collections, np.array(chunks, dtype=np.int64))
        marks = ",".join(str(int(collection)) for collection in collections)
        held = self._halves(chunks, f" AND d.collection_id IN ({marks})")
        if not held:
            return {}
        cosines = _of_numbers(np.stack(list(held.values()))).astype(np.float32) @ query
        return dict(zip(held, cosines.tolist(), strict=True))

    def _held_scores(self, query: Vectors, collections: Sequence[int], wanted: Ids) -> dict[int, float]:
        """From the matrices in memory."""
        found: dict[int, float] = {}
        for collection in collections:
            ids, vectors = self.matrix(collection)
            if len(ids):
                near = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
                rows = near[ids[near] == wanted]
                cosines = vectors[rows].astype(np.float32) @ query
                found.update(zip(ids[rows].tolist(), cosines.tolist(), strict=True))
        return found

    def _likely(self, query: Vectors, collection: int, number: int) -> Ids:
        """Rows of the matrix whose difference from the mean points as the query's does, in most dimensions."""
        if collection not in self._signs:
            _, vectors = self._cache[collection]
            mean = np.zeros(vectors.shape[1], np.float32)
            for at in range(0, len(vectors), _BLOCK):
                mean += vectors[at : at + _BLOCK].astype(np.float32).sum(axis=0) / np.float32(len(vectors))
            halves = mean.astype(np.float16)
            signs = [_signs(vectors[at : at + _BLOCK] > halves) for at in range(0, len(vectors), _BLOCK)]
            self._signs[collection] = (np.concatenate(signs), halves)
        codes, centre = self._signs[collection]
        unlike = np.bitwise_count(codes ^ _signs((query > centre)[None])).sum(axis=1, dtype=np.int32)
        return _largest(-unlike, number)

    def _read(self, chunks: Sequence[int]) -> Matrix:
        steps = self._read_in_steps(chunks)
        while True:
            try:
                next(steps)
            except StopIteration as done:
                matrix: Matrix = done.value
                return matrix

    def _read_in_steps(self, chunks: Sequence[int]) -> Generator[None, None, Matrix]:
        """The matrix of these chunks, filled in place: all their rows at once would be twice its size."""
        ids = np.array(chunks, dtype=np.int64)
        vectors = np.zeros((0, 0), np.float16)
        for at in range(0, len(ids), _BLOCK):
            part = self._halves(chunks[at : at + _BLOCK])
            if not vectors.size and part:
                vectors = np.zeros((len(ids), len(next(iter(part.values())))), np.float16)
            for row, chunk in enumerate(chunks[at : at + _BLOCK], start=at):
                # One that went meanwhile stays zero: the next look at the ids leaves it out.
                if chunk in part:
                    vectors[row] = part[chunk]
            vectors[at : at + _BLOCK] = _of_numbers(vectors[at : at + _BLOCK])
            yield
        return ids, vectors

    def _renewed(self, held: Matrix, chunks: Sequence[int]) -> Matrix:
        """The matrix of these chunks; what was held and has not been written since is not read again."""
        ids, vectors = held
        wanted = np.array(chunks, dtype=np.int64)
        kept = np.isin(ids, wanted) & ~np.isin(ids, list(self._written))
        self._written.difference_update(chunks)
        new_ids, new = self._read(np.setdiff1d(wanted, ids[kept]).tolist())
        if not len(new_ids):
            return ids[kept], vectors[kept]
        if not kept.any():
            return new_ids, new
        together = np.concatenate([ids[kept], new_ids])
        order = np.argsort(together)
        return together[order], np.concatenate([vectors[kept], new])[order]

    def _halves(self, chunks: Sequence[int], condition: str = "") -> dict[int, Halves]:
        held: dict[int, Halves] = {}
        for at in range(0, len(chunks), _ASKED_AT_ONCE):
            part = list(chunks[at : at + _ASKED_AT_ONCE])
            marks = ",".join("?" * len(part))
            rows = self._db.execute(
                f"SELECT v.chunk_id, v.vector{_OF_COLLECTION} WHERE k.id IN ({marks}){condition}", [None, *part]
            )
            held.update({row[0]: np.frombuffer(row[1], dtype=np.float16) for row in rows})
        return held


def _of_numbers(vectors: Halves) -> Halves:
    """Without what is no number: one such vector would spoil the scores of all. Nothing is near it now."""
    return vectors if np.isfinite(vectors).all() else np.nan_to_num(vectors, nan=0.0, posinf=0.0, neginf=0.0)


def _signs(above: np.ndarray[Any, np.dtype[np.bool_]]) -> Codes:
    """Rows of booleans as rows of whole numbers, filled up with zeros."""
    packed = np.packbits(above, axis=1)
    return np.pad(packed, ((0, 0), (0, -packed.shape[1] % 8))).view(np.uint64)


def _largest(values: np.ndarray[Any, Any], number: int) -> Ids:
    """Where the `number` largest values are, in no order."""
    return np.argpartition(-values, number - 1)[:number] if number < len(values) else np.arange(len(values))
