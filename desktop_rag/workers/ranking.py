"""A search of the library: its parts put together, each collection asked through its own encoder."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from desktop_rag.documents.repeats import unquoted
from desktop_rag.errors import ModelError
from desktop_rag.privacy.question import MappedQuestion
from desktop_rag.retrieval.analyse import terms
from desktop_rag.retrieval.deep import SECONDS as DEEP_SECONDS
from desktop_rag.retrieval.deep import rewritten
from desktop_rag.retrieval.encode import Encoder, Vectors
from desktop_rag.retrieval.fuse import Fusion
from desktop_rag.retrieval.near import Near
from desktop_rag.retrieval.rerank import DEPTH, SECONDS, MaxSim, Reranker, Reranking
from desktop_rag.retrieval.search import Ranking, search
from desktop_rag.retrieval.stages import Deep, since
from desktop_rag.workers.beside import Beside
from desktop_rag.workers.found_there import taken
from desktop_rag.workers.library import Library

# A deep search reads more, and may take longer.
_DEEP_DEPTH, _DEEP_SECONDS = 2 * DEPTH, 2 * SECONDS
# So many earlier questions may say what this one is about.
_EARLIER = 2
# So many collections are searched each by itself too; more would only wait for each other.
_ALONE = 8
_UNREAD = "The question could not be compared by meaning; its words alone were searched."
_NO_CROSS_ENCODER = "The installed cross-encoder cannot be loaded; the search encoder read the candidates again."
Encoders = Mapping[int, Encoder]


def rank(
    library: Library,
    question: str,
    mapped: MappedQuestion,
    collections: Sequence[int],
    mode: str,
    limit: int,
    earlier: Sequence[str] = (),
    through: Beside | None = None,
    near: Sequence[Mapping[str, Any]] = (),
) -> Ranking:
    """Search by the mapped question, and by what was typed too: a document may have kept it, or nobody saw it there.

    `earlier`: the (mapped) questions before it in its conversation, for a deep search. `through`: another encoder
    than that of the one collection. `near`: what servers found, see `found_there`.
    """
    started = time.perf_counter()
    encoders: Encoders = {} if mode in ("bm25", "tfidf") else _encoders(library, collections, through)
    found_there, notes = taken(library, near)
    try:
        vectors = _vectors(library, question, mapped, encoders)
    except ModelError:
        if mode == "dense":
            raise
        vectors, encoders, notes = {}, {}, [*notes, _UNREAD]
    encode_ms = since(started)
    ranking = search(
        _words(mapped),
        vectors,
        collections,
        lexical=library.tfidf if mode == "tfidf" else library.lexical,
        dense=through or (Near(library, found_there, vectors) if found_there else library),
        mode=mode,
        limit=limit,
        likeness=lambda chunks: _said(library, chunks),
        fusion=_fusion(library, collections),
        reranking=_reranking(library, encoders, mode, notes),
        deep=_deep(library, mapped, encoders, earlier) if mode == "deep" else None,
    )
    ranking.timings_ms = {"encode": encode_ms, **ranking.timings_ms}
    ranking.notes[:0] = notes
    return ranking


def _encoders(library: Library, collections: Sequence[int], through: Beside | None) -> Encoders:
    return dict.fromkeys(collections, through.encoder) if through else library.encoders(collections)


def explained(
    library: Library, mapped: MappedQuestion, collections: Sequence[int], chunks: Sequence[int]
) -> list[list[dict[str, Any]]]:
    """What each word of the question gives each of the chunks by BM25, the most first; rows as in TermScore."""
    words = _words(mapped)
    return [[asdict(told) for told in library.lexical.explain(words, chunk, collections)] for chunk in chunks]


def _words(mapped: MappedQuestion) -> str:
    """What the words are searched by."""
    return " ".join([mapped.search_text, *mapped.replaced])


def _vectors(library: Library, question: str, mapped: MappedQuestion, encoders: Encoders) -> dict[int, Vectors]:
    """By collection the question's vector, from the encoder that made its passages'.

    It is the mapped question's; between it and the typed one's where a replaced value also stands in clear.
    """
    in_clear = not all(library.lexical.missing(terms(value), list(encoders)) for value in mapped.replaced)
    return _encoded([mapped.search_text, *([question] if in_clear else ())], encoders)


def _encoded(texts: Sequence[str], encoders: Encoders) -> dict[int, Vectors]:
    """By collection the direction between the texts' vectors, the very same one for collections of one encoder."""
    made: dict[str, Vectors] = {}
    for encoder in encoders.values():
        if encoder.card.fingerprint not in made:
            both = encoder.encode_all(texts, query=True).sum(axis=0)
            made[encoder.card.fingerprint] = both / max(float(np.linalg.norm(both)), 1e-9)
    return {collection: made[encoder.card.fingerprint] for collection, encoder in encoders.items()}


def _fusion(library: Library, collections: Sequence[int]) -> Fusion:
    """The collections' own way to join words and meaning, if they have one in common."""
    (written, *others) = {library.collections.fusion(collection) for collection in collections} or {None}
    return Fusion() if written is None or others else Fusion.read(written)


def _reranking(library: Library, encoders: Encoders, mode: str, notes: list[str]) -> Reranking | None:
    """With the cross-encoder if there is one, else with the encoder of the collections.

    Of several encoders with that of many languages, for one scale holds for all.
    """
    if mode not in ("rerank", "deep"):
        return None
    reranker: Reranker | None = None
    try:
        reranker = library.reranker()
    except ModelError:
        notes.append(_NO_CROSS_ENCODER)
    if reranker is None and encoders:
        reranker = MaxSim(min(encoders.values(), key=lambda each: each.card.details.get("languages") == ["en"]))
    if reranker is None:
        return None
    depth, seconds = (_DEEP_DEPTH, _DEEP_SECONDS) if mode == "deep" else (DEPTH, SECONDS)
    return Reranking(reranker, lambda chunks: _texts(library, chunks), depth, seconds)


def _deep(library: Library, mapped: MappedQuestion, encoders: Encoders, earlier: Sequence[str]) -> Deep:
    other = rewritten(mapped.search_text, list(earlier)[-_EARLIER:])
    names = {one: name for one, name in library.collections.names().items() if one in encoders}
    return Deep(
        rewritten=(lambda: _encoded([other], encoders)) if other and other != mapped.search_text else None,
        names=names if 1 < len(names) <= _ALONE else {},
        seconds=DEEP_SECONDS,
        interrupt=library.db.interrupt,
    )


def _texts(library: Library, chunks: Sequence[int]) -> dict[int, str]:
    """What was encoded of the chunks."""
    rows = library.documents.chunk_rows(chunks)
    return {chunk: f"{row['context']}\n{row['text']}" if row["context"] else row["text"] for chunk, row in rows.items()}


def _said(library: Library, chunks: Sequence[int]) -> dict[int, tuple[int, str, str]]:
    """What the chunks say; of two collections the same pseudonym means two people."""
    rows = library.documents.chunk_rows(chunks)
    return {chunk: (row["collection_id"], row["context"], unquoted(row["text"])) for chunk, row in rows.items()}
