"""The `retrieval` role: a library of its own, in a folder that lives for one measurement, filled and questioned.

What it measures is what the `library` role runs: the same class over the same tables, the same encoders, the same
search. It never sees the user's own library.
"""

from __future__ import annotations

import sys
import time
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from desktop_rag.errors import UsageError
from desktop_rag.evaluation import growth_filling, nearest
from desktop_rag.evaluation.judged import corpus
from desktop_rag.evaluation.retrieval_filling import Filled, fill
from desktop_rag.retrieval.tfidf import length_bias
from desktop_rag.workers import allocator, encoding
from desktop_rag.workers.beside import Beside, encoded, timed
from desktop_rag.workers.library import Library
from desktop_rag.workers.loop import Operation, Request, Service
from desktop_rag.workers.questions import ranked


class _Retrieval:
    """One library, opened when it is filled, and what it was filled with."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._filled: Filled | None = None
        self._beside: Beside | None = None

    @cached_property
    def _library(self) -> Library:
        return Library(self._data_dir)

    def fill(self, request: Request) -> Operation:
        """{folder, encoder, reranker?: a cross-encoder's folder} -> {encoder: card, documents, seconds}."""
        folder, encoder = Path(str(request.args["folder"])), request.args.get("encoder")
        entries = list(corpus(folder))
        if request.args.get("reranker"):
            self._library.reranker_folder = Path(str(request.args["reranker"]))
        if not entries:
            raise UsageError("bad_request", f"There are no documents in “{folder.name}”.")
        self._filled = yield from fill(self._library, entries, encoder)
        in_use = self._library.collections.encoders(self._filled.collection).in_use
        return {
            "encoder": None if in_use is None else encoding.card(in_use),
            "documents": len(entries),
            "seconds": {name: round(seconds, 2) for name, seconds in self._filled.seconds.items()},
        }

    def rank(self, request: Request) -> Operation:
        """{mode, questions, depth, beside?} -> "ranked" events {question, documents: [[id, score]], ms, encode_ms}.

        `beside`: by the encoder that was put beside the one in use last.
        """
        assert self._filled is not None
        mode, depth = str(request.args["mode"]), int(request.args["depth"])
        through = self._beside if request.args.get("beside") else None
        for question, text in dict(request.args["questions"]).items():
            yield {"event": "ranked", "question": question, **self._ranked(self._filled, text, mode, depth, through)}
        return {}

    def beside(self, request: Request) -> Operation:
        """{encoder} -> what is told of it, once the passages are encoded with it, and {own}: of the one in use."""
        assert self._filled is not None
        self._beside = yield from encoded(self._library, self._filled.collection, str(request.args["encoder"]))
        own = yield from timed(self._library, self._filled.collection)
        return {**self._beside.facts, "own": own}

    def _ranked(self, filled: Filled, text: str, mode: str, depth: int, through: Beside | None) -> dict[str, Any]:
        begun = time.perf_counter()
        ranking = ranked(self._library, text, [filled.collection], mode, depth, through)
        spent = 1000 * (time.perf_counter() - begun)
        # Passages that say the same are shown as one, and judged each by itself.
        found = [one for chunk in ranking.order for one in (chunk, *ranking.also.get(chunk, ()))]
        best: dict[str, float] = {}
        for chunk in found:
            # Of a document in several passages the best one counts.
            best.setdefault(filled.documents[chunk], ranking.final[chunk])
        return {"documents": list(best.items()), "ms": spent, "encode_ms": ranking.timings_ms["encode"]}

    def length_bias(self, request: Request) -> Operation:
        """{questions} -> {terms}: the mean length of what each formula finds first, see `tfidf.length_bias`."""
        assert self._filled is not None
        yield None
        asked = [str(text) for text in request.args["questions"]]
        return {"terms": length_bias(self._library.lexical, asked, [self._filled.collection])}

    def grow(self, request: Request) -> Operation:
        """{chunks} -> {seconds}: a made-up collection of so many passages, see `growth_filling`."""
        begun = time.perf_counter()
        yield from growth_filling.fill(self._library, int(request.args["chunks"]))
        return {"seconds": round(time.perf_counter() - begun, 1)}

    def hnsw(self, request: Request) -> Operation:
        """{questions} -> how Chroma's graph does beside the application's own search, see `nearest`."""
        (collection,) = self._library.collections.names()
        encoder = self._library.encoder_for(collection)
        queries = list(encoder.encode_all([str(text) for text in request.args["questions"]], query=True))
        with TemporaryDirectory() as folder:
            found: dict[str, Any] = {}
            for step in nearest.compare(self._library, collection, queries, Path(folder)):
                found = step or found
                yield None
        return found

    def encode(self, request: Request) -> Operation:
        """{texts} -> {seconds}: as passages, by the encoder for English, once it is warm."""
        texts, encoder = [str(text) for text in request.args["texts"]], self._library.encoder
        encoder.encode_all(texts[:8])
        yield None
        begun = time.perf_counter()
        encoder.encode_all(texts)
        return {"seconds": time.perf_counter() - begun}

    def close(self) -> None:
        """Let go of the library."""
        if "_library" in vars(self):
            self._library.close()


def open_service(data_dir: Path, options: dict[str, Any]) -> Service:
    """The role's operations."""
    # As in the library's process.
    allocator.one_arena()
    for name in ("torch", "transformers"):
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    service = _Retrieval(data_dir)
    return Service(
        {
            "fill": service.fill,
            "rank": service.rank,
            "beside": service.beside,
            "length_bias": service.length_bias,
            "grow": service.grow,
            "hnsw": service.hnsw,
            "encode": service.encode,
        },
        close=service.close,
    )
