"""Chroma's graph (HNSW) beside the application's own search by meaning: time, memory, and what each overlooks."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from desktop_rag.meter.memory import resident_mb
from desktop_rag.retrieval.chroma import ChromaCache
from desktop_rag.retrieval.encode import Vectors
from desktop_rag.workers.library import Library

_DEPTHS = (10, 100)


def compare(
    library: Library, collection: int, queries: Sequence[Vectors], folder: Path
) -> Iterator[dict[str, Any] | None]:
    """Fill a graph in `folder` with the collection's vectors and ask both; None between steps, at last the figures.

    Recall is the share of what a comparison with every vector finds: of the graph asked for twice as many, as the
    application asks, and of the application's own search, which compares signs first.
    """
    ids, vectors = library.vectors.matrix(collection)
    before, begun = resident_mb() or 0, time.perf_counter()
    graph = ChromaCache(folder)
    yield None
    graph.repair(collection, library.vectors)
    built, memory = time.perf_counter() - begun, (resident_mb() or 0) - before
    spent: dict[str, list[float]] = {"graph": [], "ours": []}
    kept: dict[str, list[float]] = {f"{name}@{depth}": [] for name in spent for depth in _DEPTHS}
    for query in queries:
        yield None
        true = ids[np.argsort(-(vectors.astype(np.float32) @ query))[: max(_DEPTHS)]].tolist()
        for name, search in (("graph", _by_graph(library, graph)), ("ours", library.vectors.search)):
            begun = time.perf_counter()
            # In no order.
            scores = search(query, collection, max(_DEPTHS))
            spent[name].append(1000 * (time.perf_counter() - begun))
            found = sorted(scores, key=lambda chunk: -scores[chunk])
            for depth in _DEPTHS:
                kept[f"{name}@{depth}"].append(len({*found[:depth]} & {*true[:depth]}) / min(depth, len(true)))
    graph.close()
    yield {
        "passages": len(ids),
        "questions": len(queries),
        "build_s": round(built, 1),
        "memory_mb": round(memory, 1),
        **{f"{name}_p50_ms": round(median(held), 2) for name, held in spent.items()},
        **{f"recall_{name}": round(float(np.mean(held)), 4) for name, held in kept.items()},
    }


def _by_graph(library: Library, graph: ChromaCache) -> Any:
    """The search of a large collection: the graph finds, exact scores rank."""

    def search(query: Vectors, collection: int, limit: int) -> dict[int, float]:
        held = library.vectors.get(graph.search(query, collection, 2 * limit))
        return {chunk: float(vector @ query) for chunk, vector in held.items()}

    return search
