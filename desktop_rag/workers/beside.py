"""Another encoder beside the one in use, for a measurement: its vectors of a collection are held in memory alone.

Nothing of the collection's own index changes. A search goes through it where `ranking.rank` is given one. Encoding
runs in another thread: a question that comes meanwhile does not wait for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import wait
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np

from desktop_rag import paths
from desktop_rag.models.catalogue import Entry
from desktop_rag.retrieval.encode import Encoder, Vectors
from desktop_rag.workers import encoding
from desktop_rag.workers.library import Library

Ids = np.ndarray[Any, np.dtype[np.int64]]
Found = TypeVar("Found")
Steps = Generator[dict[str, Any] | None, None, Found]
_TEXTS_A_STEP = 16
# Short: questions wait for it.
_LOOK_SECONDS = 0.02
# So many passages tell how fast an encoder is, where it need not encode them.
_TIMED = 48


@dataclass(slots=True)
class Beside:
    """An encoder with its vectors of one collection, as a DenseIndex: every one is compared."""

    encoder: Encoder
    collection: int
    changes: int
    """How often the database had changed when it was last looked which passages there are."""
    ids: Ids
    vectors: Vectors
    facts: dict[str, Any]
    """{card, size_mb, passages_s}, see `facts_of`."""

    def search(self, query: Vectors, collection: int, limit: int) -> Mapping[int, float]:
        """See DenseIndex."""
        cosines = self.vectors @ query
        best = np.argsort(-cosines, kind="stable")[:limit]
        return dict(zip(self.ids[best].tolist(), cosines[best].tolist(), strict=True))

    def scores(self, query: Vectors, collections: Sequence[int], chunks: Sequence[int]) -> Mapping[int, float]:
        """See DenseIndex."""
        rows = np.flatnonzero(np.isin(self.ids, np.asarray(chunks, dtype=np.int64)))
        return dict(zip(self.ids[rows].tolist(), (self.vectors[rows] @ query).tolist(), strict=True))

    def renew(self, library: Library) -> None:
        """Leave out passages that were removed meanwhile."""
        if self.changes != library.db.total_changes:
            self.changes = library.db.total_changes
            there = np.isin(self.ids, _chunks(library, self.collection))
            self.ids, self.vectors = self.ids[there], self.vectors[there]


def others(library: Library, collection: int) -> list[str]:
    """The ids of the installed encoders that are not the collection's."""
    in_use = library.collections.encoders(collection).in_use
    return [entry.id for entry in encoding.installed() if in_use is None or entry.id != in_use.name]


def encoded(library: Library, collection: int, name: str) -> Steps[Beside]:
    """Encode a collection's passages with another encoder; yields "progress" with how long it will take.

    Raises UsageError for an unknown name, ModelError.
    """
    entry = encoding.named(name)
    encoder = yield from _meanwhile(library, lambda: library.encoder_named(entry.id))
    changes, ids = library.db.total_changes, _chunks(library, collection)
    vectors = np.zeros((len(ids), encoder.card.dimension), np.float32)
    spent = 0.0
    for at in range(0, len(ids), _TEXTS_A_STEP):
        left = spent / at * (len(ids) - at) if at else None
        yield _progress(encoder.card.name, at, len(ids), left)
        texts = _texts(library, ids[at : at + _TEXTS_A_STEP].tolist())
        vectors[at : at + len(texts)], seconds = yield from _meanwhile(library, partial(_timed, encoder, texts))
        spent += seconds
    facts = facts_of(encoder, entry, round(len(ids) / spent, 1) if spent else None)
    return Beside(encoder, collection, changes, ids, vectors, facts)


def foreseen(library: Library, collection: int, names: Sequence[str]) -> Steps[None]:
    """Yields a "progress" with {foreseen} that tells beforehand how long it will take to encode with these."""
    ids = _chunks(library, collection)
    if not len(ids):
        return
    for name in names:
        encoder = yield from _meanwhile(library, partial(library.encoder_named, name))
        texts = _texts(library, ids[:_TEXTS_A_STEP].tolist())
        # Twice: what runs for the first time takes longer.
        for _ in range(2):
            _, spent = yield from _meanwhile(library, partial(_timed, encoder, texts))
        seconds = spent / len(texts) * len(ids)
        said = f"to encode {len(ids):,} passages with {encoder.card.name} will take {_about(seconds)}"
        told = {"encoder": encoder.card.name, "passages": len(ids), "seconds": round(seconds, 3)}
        yield {"event": "progress", "text": said, "foreseen": told}


def _about(seconds: float) -> str:
    if seconds < 10:
        return "a few seconds"
    return f"about {seconds:.0f} s" if seconds < 100 else f"about {seconds / 60:.0f} minutes"


def timed(library: Library, collection: int) -> Steps[dict[str, Any]]:
    """The facts of the encoder in use, its speed measured on some of the collection's passages."""
    encoder = library.encoder_for(collection)
    in_use = library.collections.encoders(collection).in_use
    query = "SELECT k.id FROM chunks k JOIN documents d ON d.id = k.document_id WHERE d.collection_id = ? LIMIT ?"
    texts = _texts(library, [row[0] for row in library.db.execute(query, (collection, _TIMED))])
    _, spent = yield from _meanwhile(library, partial(_timed, encoder, texts))
    entry = encoding.named(in_use.name if in_use else encoder.card.name)
    return facts_of(encoder, entry, round(len(texts) / spent, 1) if texts else None)


def _timed(encoder: Encoder, texts: Sequence[str]) -> tuple[Vectors, float]:
    """Their vectors, and how many seconds these took."""
    begun = time.perf_counter()
    vectors = encoder.encode_all(texts)
    return vectors, time.perf_counter() - begun


def _meanwhile(library: Library, work: Callable[[], Found]) -> Steps[Found]:
    """The result of a call that another thread makes."""
    future = library.beside.submit(work)
    while not future.done():
        wait([future], _LOOK_SECONDS)
        yield None
    return future.result()


def facts_of(encoder: Encoder, entry: Entry, passages_s: float | None) -> dict[str, Any]:
    """{encoder: its card, size_mb on disk, passages_s}."""
    folder = entry.folder(paths.models_dir())
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    keys = ("name", "id", "dimension", "parameters", "max_tokens", "languages", "licence")
    card = {key: encoder.card.details.get(key) for key in keys}
    return {"encoder": card, "size_mb": round(size / 1e6, 1), "passages_s": passages_s}


def _chunks(library: Library, collection: int) -> Ids:
    query = "SELECT k.id FROM chunks k JOIN documents d ON d.id = k.document_id WHERE d.collection_id = ? ORDER BY k.id"
    return np.array([row[0] for row in library.db.execute(query, (collection,))], dtype=np.int64)


def _texts(library: Library, chunks: Sequence[int]) -> list[str]:
    """What of each passage is encoded; nothing of one that was removed meanwhile."""
    rows = library.documents.chunk_rows(chunks)
    texts = ((rows[chunk]["context"], rows[chunk]["text"]) if chunk in rows else ("", "") for chunk in chunks)
    return [f"{context}\n{text}" if context else text for context, text in texts]


def _progress(name: str, done: int, total: int, left: float | None) -> dict[str, Any]:
    time_left = "" if left is None or left < 5 else f", {left:.0f} s left"
    text = f"encoding {total:,} passages with {name} {100 * done // max(1, total)} %{time_left}"
    return {"event": "progress", "text": text, "fraction": done / max(1, total)}
