"""Chroma as a disposable cache of ids and vectors: no text, no metadata, rebuilt from the database.

One Chroma collection per collection of documents. Chroma's files are not encrypted, so collections
that keep personal data never get one.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from desktop_rag.retrieval.encode import Vectors
from desktop_rag.retrieval.vectors import VectorStore

_BATCH = 500


class ChromaCache:
    """The nearest-neighbour index over one data directory. Only one process may open it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._client: Any = None
        self._open_collections: dict[int, Any] = {}

    def add(self, collection: int, chunks: Sequence[int], vectors: Vectors) -> None:
        """Put vectors [n, dimension] in, replacing those of the same ids."""
        held = self._collection(collection)
        for at in range(0, len(chunks), _BATCH):
            part = chunks[at : at + _BATCH]
            held.upsert(ids=[str(chunk) for chunk in part], embeddings=vectors[at : at + _BATCH])

    def remove(self, collection: int, chunks: Sequence[int]) -> None:
        """Take ids out; unknown ids are no error."""
        held = self._collection(collection)
        for at in range(0, len(chunks), _BATCH):
            held.delete(ids=[str(chunk) for chunk in chunks[at : at + _BATCH]])

    def drop(self, collection: int) -> None:
        """Forget a whole collection."""
        self._open_collections.pop(collection, None)
        if self._name(collection) in {held.name for held in self._opened().list_collections()}:
            self._opened().delete_collection(self._name(collection))

    def search(self, query: Vectors, collection: int, limit: int) -> list[int]:
        """The ids of about the `limit` nearest chunks; rank them by their exact score."""
        held = self._collection(collection)
        size = held.count()
        if not size:
            return []
        result = held.query(query_embeddings=[query], n_results=min(limit, size), include=[])
        return [int(chunk) for chunk in result["ids"][0]]

    def count(self, collection: int) -> int:
        """How many vectors are cached."""
        return int(self._collection(collection).count())

    def repair(self, collection: int, store: VectorStore) -> int:
        """Make the cache hold exactly the store's chunks; returns how many ids differed."""
        ids, vectors = store.matrix(collection)
        held = self._collection(collection)
        cached = np.array(sorted(int(chunk) for chunk in held.get(include=[])["ids"]), dtype=np.int64)
        if np.array_equal(cached, ids):
            return 0
        missing, extra = np.setdiff1d(ids, cached), np.setdiff1d(cached, ids)
        if len(extra):
            self.remove(collection, extra.tolist())
        if len(missing):
            self.add(collection, missing.tolist(), vectors[np.isin(ids, missing)])
        return len(missing) + len(extra)

    def discard(self) -> None:
        """Throw the files away after damage; the next use starts an empty cache."""
        from chromadb.api.shared_system_client import SharedSystemClient

        self.close()
        # A client whose start failed stays in Chroma's registry of this process and would be handed out again.
        SharedSystemClient.clear_system_cache()
        shutil.rmtree(self._folder, ignore_errors=True)

    def close(self) -> None:
        """Let go of the files."""
        if self._client is not None:
            self._client.close()
        self._client = None
        self._open_collections = {}

    def _collection(self, collection: int) -> Any:
        if collection not in self._open_collections:
            # Without a space Chroma would rank by squared distance; without None it would load its own encoder.
            self._open_collections[collection] = self._opened().get_or_create_collection(
                self._name(collection), embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
            )
        return self._open_collections[collection]

    def _opened(self) -> Any:
        if self._client is None:
            import chromadb
            from chromadb.config import Settings

            self._folder.mkdir(mode=0o700, exist_ok=True)
            settings = Settings(anonymized_telemetry=False, allow_reset=False, is_persistent=True)
            self._client = chromadb.PersistentClient(path=str(self._folder), settings=settings)
        return self._client

    @staticmethod
    def _name(collection: int) -> str:
        return f"collection-{collection}"
