"""Chroma as a disposable cache of ids and vectors: no text, no metadata, rebuilt from the database.

One Chroma collection per large collection of documents: a small one is searched exactly, as fast. Chroma's files are
not encrypted, so collections that keep personal data never get one. What Chroma deletes stays readable in its files,
so nothing is ever deleted in them: they are thrown away and filled anew.
"""

from __future__ import annotations

import ctypes
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from desktop_rag.logs import log
from desktop_rag.retrieval.encode import Vectors
from desktop_rag.retrieval.graph_files import GraphFiles
from desktop_rag.retrieval.vectors import VectorStore

_BATCH = 500
_PREFIX = "collection-"
_NEEDLE_BYTES = 64
# glibc's number of the option; other C libraries do not know it.
_M_PERTURB = -6
_FILLING = 0x55
# What its native code raises where it gives up; no Exception, and of no importable type.
_PANIC = "PanicException"


class ErasedVectorsError(Exception):
    """The cache holds vectors of passages that are gone: its files must go."""


class BrokenCacheError(Exception):
    """Chroma gave up over its files."""


class ChromaCache:
    """The nearest-neighbour index over one data directory. Only one process may open it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = GraphFiles(folder)
        self._client: Any = None
        self._open_collections: dict[int, Any] = {}

    def add(self, collection: int, chunks: Sequence[int], vectors: Vectors) -> None:
        """Put vectors [n, dimension] in, replacing those of the same ids."""
        for at in range(0, len(chunks), _BATCH):
            part = [str(chunk) for chunk in chunks[at : at + _BATCH]]
            with self._used():
                self._collection(collection).upsert(ids=part, embeddings=vectors[at : at + _BATCH])

    def collections(self) -> list[int]:
        """The collections that lie in the files."""
        with self._used():
            return [int(held.name.removeprefix(_PREFIX)) for held in self._opened().list_collections()]

    def search(self, query: Vectors, collection: int, limit: int) -> list[int]:
        """The ids of about the `limit` nearest chunks; rank them by their exact score."""
        with self._used():
            result = self._collection(collection).query(query_embeddings=[query], n_results=limit, include=[])
        return [int(chunk) for chunk in result["ids"][0]]

    def open(self) -> None:
        """Load Chroma and open its files, which takes seconds; the first use does the same."""
        with self._used():
            self._opened()

    def count(self, collection: int) -> int:
        """How many vectors are cached."""
        with self._used():
            return int(self._collection(collection).count())

    def repair(self, collection: int, store: VectorStore) -> int:
        """Put in what the cache lacks of the store's chunks; returns how many.

        Raises ErasedVectorsError when it holds others.
        """
        with self._used():
            cached = {int(chunk) for chunk in self._collection(collection).get(include=[])["ids"]}
        wanted = store.ids(collection)
        if not cached.issubset(wanted):
            raise ErasedVectorsError
        missing = [chunk for chunk in wanted if chunk not in cached]
        for at in range(0, len(missing), _BATCH):
            # In parts: a whole collection's matrix would be read into memory for one missing vector.
            vectors = store.get(missing[at : at + _BATCH])
            self.add(collection, list(vectors), np.stack(list(vectors.values())))
        return len(missing)

    def holds(self, vectors: Iterable[Vectors]) -> bool:
        """Whether the bytes of one of these vectors can be read in the files, as given or of length one."""
        needles = [row.tobytes()[:_NEEDLE_BYTES] for v in vectors for row in (v, _normalised(v))]
        return any(
            needle in content
            for file in self._folder.rglob("*")
            if needles and file.is_file()
            for content in (file.read_bytes(),)
            for needle in needles
        )

    def discard(self) -> None:
        """Throw the files away; the next use starts an empty cache."""
        if self._client is None and not self._folder.exists():
            return
        from chromadb.api.shared_system_client import SharedSystemClient

        self.close()
        # A client whose start failed stays in Chroma's registry of this process and would be handed out again.
        SharedSystemClient.clear_system_cache()
        self._remove()

    def close(self) -> None:
        """Let go of the files."""
        if self._client is not None:
            self._client.close()
        self._client = None
        self._open_collections = {}

    @contextmanager
    def _used(self) -> Iterator[None]:
        """Chroma at work: what it changes is noted, and where its native code gives up that is an error."""
        try:
            yield
        except Exception:
            raise
        except BaseException as error:
            if type(error).__name__ == _PANIC:
                raise BrokenCacheError from error
            raise
        self._files.note()

    def _remove(self) -> None:
        self._files.forget()
        if self._folder.is_dir():
            shutil.rmtree(self._folder, ignore_errors=True)
        else:
            self._folder.unlink(missing_ok=True)

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

            _fill_new_memory()
            if not self._files.intact():
                log.warning("the files of the vector cache are not as they were left and are made anew")
                self._remove()
            self._folder.mkdir(mode=0o700, exist_ok=True)
            settings = Settings(anonymized_telemetry=False, allow_reset=False, is_persistent=True)
            self._client = chromadb.PersistentClient(path=str(self._folder), settings=settings)
        return self._client

    @staticmethod
    def _name(collection: int) -> str:
        return f"{_PREFIX}{collection}"


def _fill_new_memory() -> None:
    """Let the C library fill all memory it hands out from now on.

    Chroma's graph writes room it never filled to its files: what this process had in memory before, which is private.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_M_PERTURB, _FILLING)


def _normalised(vector: Vectors) -> Vectors:
    """The vector as Chroma's graph keeps it, to the bit: its squares are added up one after the other."""
    length = np.sqrt(np.cumsum(vector * vector, dtype=np.float32)[-1])
    return np.asarray(vector * (np.float32(1) / (length + np.float32(1e-30))), dtype=np.float32)
