"""A judged set as a collection of a library, made with the library's own parts: text, words and vectors.

Each document is one passage under its title; where that is longer than the encoder reads, it becomes the chunks that
the application makes of a page, and its best one counts. The encoder is the one the application chooses for the
languages it finds, or the one that was asked for. Runs in a worker.
"""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from desktop_rag import paths
from desktop_rag.documents.chunk import Chunk, chunk
from desktop_rag.documents.model import Page
from desktop_rag.evaluation.judged import Entry
from desktop_rag.retrieval.encode import Encoder
from desktop_rag.store.connection import transaction
from desktop_rag.workers import encoding
from desktop_rag.workers.cleaning import CHUNK_TOKENS, write_chunk
from desktop_rag.workers.language import language_of
from desktop_rag.workers.library import Library
from desktop_rag.workers.overlapping import overlapped

_COLLECTION = "judged"
_DOCUMENTS_A_STEP = 100
_TEXTS_A_STEP = 256
# What the encoder puts around a text.
_SPECIAL_TOKENS = 2
Event = dict[str, Any]
Halves = np.ndarray[Any, np.dtype[np.float16]]


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk, the document of the set that it is or comes from, and what is encoded of it."""

    chunk: int
    entry: str
    text: str


@dataclass(frozen=True, slots=True)
class Filled:
    """The collection, the document of the set that each of its passages is, and how long it took."""

    collection: int
    documents: dict[int, str]
    seconds: dict[str, float]
    """`lexical`, with the writing of the texts, and `encoding`; vectors kept from an earlier run take next to none."""


def fill(library: Library, entries: Sequence[Entry], encoder: str | None) -> Generator[Event | None, None, Filled]:
    """Write the documents, choose the encoder, and encode; yields "progress" with its share of the whole."""
    # What lives for minutes need not be forced onto the disk.
    library.db.execute("PRAGMA synchronous=OFF")
    collection = int(library.collections.create(_COLLECTION, "keep", review=False)["id"])
    if encoder is not None:
        yield from encoding.choose(library, collection, encoder)
    begun = time.perf_counter()
    passages: list[Passage] = []
    for at in range(0, len(entries), _DOCUMENTS_A_STEP):
        yield _progress("reading documents", at, len(entries))
        with transaction(library.db):
            for entry in entries[at : at + _DOCUMENTS_A_STEP]:
                passages += _written(library, collection, entry)
    written = time.perf_counter()
    yield from _choose_encoder(library, collection)
    yield from _encode(library, collection, passages)
    seconds = {"lexical": written - begun, "encoding": time.perf_counter() - written}
    return Filled(collection, {passage.chunk: passage.entry for passage in passages}, seconds)


def _written(library: Library, collection: int, entry: Entry) -> list[Passage]:
    document, now = uuid.uuid4().hex[:16], time.time()
    library.db.execute(
        "INSERT INTO documents (id, collection_id, path, name, language, policy, review, state, added, updated)"
        " VALUES (?, ?, ?, ?, ?, 'keep', 0, 'ready', ?, ?)",
        (document, collection, entry.id, entry.id, language_of([entry.title, entry.text]), now, now),
    )
    page = library.db.execute(
        "INSERT INTO pages (document_id, ordinal, text) VALUES (?, 0, ?)", (document, entry.text)
    ).lastrowid
    passages = []
    for ordinal, piece in enumerate(_pieces(library, entry)):
        number = write_chunk(library, document, page, entry.text, ordinal, piece)
        text = entry.text[piece.start : piece.end]
        passages.append(Passage(number, entry.id, f"{piece.context}\n{text}" if piece.context else text))
    return passages


def _pieces(library: Library, entry: Entry) -> list[Chunk]:
    """The whole document, or where it is too long for the encoder the chunks that the application makes of it."""
    whole = Chunk(0, 0, len(entry.text), entry.title)
    encoder = library.encoder
    (tokens,) = encoder.count_tokens([f"{entry.title}\n{entry.text}"])
    if tokens <= encoder.card.max_tokens - _SPECIAL_TOKENS:
        return [whole]
    pieces = chunk([Page(None, None, entry.text)], encoder.count_tokens, budget=CHUNK_TOKENS)
    return [Chunk(0, piece.start, piece.end, entry.title) for piece in pieces] or [whole]


def _choose_encoder(library: Library, collection: int) -> Iterator[Event | None]:
    """As when documents come in: the first one of each language decides."""
    rows = library.db.execute(
        "SELECT id FROM documents WHERE collection_id = ? GROUP BY language ORDER BY min(rowid)", (collection,)
    ).fetchall()
    for row in rows:
        yield from overlapped(iter([encoding.encode_document(library, library.documents.row(row[0]))]))
    with transaction(library.db):
        # A change of encoder takes along what is indexed: these few. The rest is encoded afterwards, all at once.
        library.db.executemany("UPDATE documents SET encoded = 1 WHERE id = ?", [(row[0],) for row in rows])
    yield from encoding.change(library)


def _encode(library: Library, collection: int, passages: Sequence[Passage]) -> Iterator[Event | None]:
    """Vectors for all passages; those of an earlier run over the same texts are taken as they are."""
    model, texts = library.encoder_for(collection), [passage.text for passage in passages]
    kept = _kept(model, texts)
    vectors = _read(kept, len(texts))
    if vectors is None:
        vectors = np.zeros((len(texts), model.card.dimension), np.float16)
        for at in range(0, len(texts), _TEXTS_A_STEP):
            yield _progress("encoding", at, len(texts))
            vectors[at : at + _TEXTS_A_STEP] = model.encode_all(texts[at : at + _TEXTS_A_STEP])
        _keep(kept, vectors)
    with transaction(library.db):
        number = library.vectors.encoder_id(model.card)
        by_chunk = {passage.chunk: vector for passage, vector in zip(passages, vectors, strict=True)}
        library.vectors.add(number, by_chunk)
        library.db.execute("UPDATE documents SET encoded = 1 WHERE collection_id = ?", (collection,))
    library.vectors.changed(collection)


def _kept(model: Encoder, texts: Sequence[str]) -> Path:
    digest = hashlib.sha256(model.card.fingerprint.encode())
    for text in texts:
        digest.update(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
    return paths.cache_dir() / "judged" / f"{digest.hexdigest()}.npy"


def _read(path: Path, rows: int) -> Halves | None:
    try:
        held: Halves = np.load(path)
    except (OSError, ValueError, EOFError):
        return None
    return held if len(held) == rows else None


def _keep(path: Path, vectors: Halves) -> None:
    partial = paths.private_dir(path.parent) / f"{path.stem}.{os.getpid()}.part"
    with partial.open("wb") as file:
        np.save(file, vectors)
    partial.replace(path)


def _progress(text: str, done: int, total: int) -> Event:
    return {"event": "progress", "text": f"{text} {100 * done // total} %", "fraction": done / total}
