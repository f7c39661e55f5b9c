"""A database with chunks in it, but without documents having been read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from desktop_rag import paths
from desktop_rag.models.catalogue import find
from desktop_rag.retrieval.encode import CTranslate2Encoder, EncoderCard, Vectors
from desktop_rag.retrieval.lexical import PostingsIndex
from desktop_rag.retrieval.vectors import VectorStore
from desktop_rag.store.collections import Collections
from desktop_rag.store.connection import Connection, open_database, transaction
from desktop_rag.store.documents import Documents
from desktop_rag.store.key import Key
from desktop_rag.workers.encoding import MULTILINGUAL
from desktop_rag.workers.library import ENCODER_MODEL


class Shelf:
    """Texts put straight into the tables, as the road of a dropped file would."""

    def __init__(self, connection: Connection) -> None:
        self.db = connection
        self.index = PostingsIndex(connection)
        self.vectors = VectorStore(connection)
        self.collection = self.new_collection("One")

    def new_collection(self, name: str) -> int:
        return int(Collections(self.db).create(name, "pseudonymise", False)["id"])

    def add(self, texts: Sequence[str], collection: int | None = None, language: str | None = None) -> list[int]:
        """One document with one page and one chunk a text; returns the chunks."""
        document = Documents(self.db).add(Path("made.txt"), collection or self.collection, "pseudonymise", False)
        Documents(self.db).update(document, language=language)
        chunks = []
        with transaction(self.db):
            for ordinal, text in enumerate(texts):
                page = self.db.execute(
                    "INSERT INTO pages (document_id, ordinal, text) VALUES (?, ?, ?)", (document, ordinal, text)
                ).lastrowid
                chunk = self.db.execute(
                    "INSERT INTO chunks (document_id, page_id, ordinal, start, end, context, length)"
                    " VALUES (?, ?, ?, 0, ?, '', 0)",
                    (document, page, ordinal, len(text)),
                ).lastrowid
                length = self.index.add(chunk, text)
                self.db.execute("UPDATE chunks SET length = ? WHERE id = ?", (length, chunk))
                chunks.append(int(chunk))
        return chunks

    def remove(self, chunks: Sequence[int]) -> None:
        marks = ",".join("?" * len(chunks))
        with transaction(self.db):
            self.index.remove(chunks)
            self.db.execute(f"DELETE FROM chunks WHERE id IN ({marks})", list(chunks))

    def add_vectors(self, chunks: Sequence[int], vectors: Vectors) -> None:
        with transaction(self.db):
            encoder = self.vectors.encoder_id(EncoderCard("made", vectors.shape[1], 1, "made", {}))
            Collections(self.db).set_encoder(self.collection, encoder)
            self.vectors.add(encoder, dict(zip(chunks, vectors, strict=True)))
        self.vectors.changed(self.collection)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    """See Shelf."""
    connection = open_database(tmp_path / "library.db", Key(bytes(32), "file"))
    yield Shelf(connection)
    connection.close()


@pytest.fixture
def random_vectors() -> Vectors:
    """2 000 directions, uniform on the sphere: the hardest case for a graph of neighbours."""
    made = np.random.default_rng(7).normal(size=(2000, 384)).astype(np.float32)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True))


@pytest.fixture(scope="session")
def minilm() -> CTranslate2Encoder:
    """The real encoder."""
    return CTranslate2Encoder(find(ENCODER_MODEL).folder(paths.models_dir()), threads=2)


@pytest.fixture(scope="session")
def multilingual() -> CTranslate2Encoder:
    """The real encoder for all languages."""
    return CTranslate2Encoder(find(MULTILINGUAL).folder(paths.models_dir()), threads=2)
