"""Whether memory stays flat while thousands of documents are added.

Resident memory of the process counts, less the vectors that the nearest-neighbour index holds of the documents that
came in between: four bytes for each of their numbers. Nothing else is left out: neither the index's links and
buffers, nor the vault's names, nor the database's cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from desktop_rag.errors import EngineError
from desktop_rag.evaluation.ingest_files import reports
from desktop_rag.evaluation.ingest_place import Found, Place, Sizes
from desktop_rag.evaluation.rounds import Surroundings, event_of
from desktop_rag.evaluation.team import Worker

_LIBRARY, _READER = "memory_growth", "reader_memory_growth"
_SAMPLES = 10
_COLLECTION = "reports"
_VECTOR_MB = 384 * 4 / 2**20
"""One passage's vector of the starter encoder, as Chroma holds it."""
# Number of documents, resident MiB of the library process, of the process that reads files, and the latter's id.
_Sample = tuple[int, float, float, int]


def growth(place: Place) -> Found:
    """One run: documents are added in one request, and the processes looked at as they become ready."""
    surroundings = Surroundings()
    library, sizes = place.crew.library, place.sizes
    folder = reports(place.folder / "reports", sizes.documents)
    library.call("collection_create", name=_COLLECTION, policy="pseudonymise", review=False)
    samples: list[_Sample] = []
    ready: list[str] = []
    for document in _ready(library, folder):
        ready.append(document)
        if len(ready) in _moments(sizes):
            samples.append(_sample(library, len(ready)))
            yield {"event": "progress", "text": f"{len(ready):,} documents, {samples[-1][1]:.0f} MB"}
    passages = {row["id"]: row["chunks"] for row in library.call("documents")["documents"]}
    vectors_mb = sum(passages[document] for document in ready[sizes.settled :]) * _VECTOR_MB
    parts = _parts(samples, sum(passages.values()), vectors_mb)
    one = surroundings.around(grown([sample[1] for sample in samples], vectors_mb), parts)
    other = surroundings.around(grown([sample[2] for sample in samples]), parts)
    yield event_of(_LIBRARY, 1, one)
    yield event_of(_READER, 1, other)
    return {_LIBRARY: [one], _READER: [other]}


def grown(sizes: list[float], needed: float = 0.0) -> float:
    """By which share the last size is larger than the first, without what is needed for more documents."""
    return (sizes[-1] - needed) / sizes[0] - 1


def _moments(sizes: Sizes) -> set[int]:
    every = max(1, (sizes.documents - sizes.settled) // _SAMPLES)
    return {*range(sizes.settled, sizes.documents, every), sizes.documents}


def _ready(library: Worker, folder: Path) -> Iterator[str]:
    """Add a folder: each document when it is ready. Raises EngineError if one fails."""
    seen: set[str] = set()
    for event in library.stream("add", paths=[str(folder)], collection=_COLLECTION):
        if event["event"] != "document" or event["document"] in seen:
            continue
        if event["state"] == "failed":
            raise EngineError("start_failed", "A document of the measurement could not be indexed.", "Try again.")
        if event["state"] == "ready":
            seen.add(event["document"])
            yield event["document"]


def _parts(samples: list[_Sample], passages: int, vectors_mb: float) -> dict[str, Any]:
    return {
        "n": samples[-1][0],
        "documents": [sample[0] for sample in samples],
        "library_mb": [round(sample[1], 1) for sample in samples],
        "reader_mb": [round(sample[2], 1) for sample in samples],
        "readers": len({sample[3] for sample in samples}),
        "passages": passages,
        "vectors_mb": round(vectors_mb, 2),
    }


def _sample(library: Worker, documents: int) -> _Sample:
    """The processes now; the library's only child is the process that reads files."""
    try:
        process = psutil.Process(library.pid or -1)
        (reader,) = process.children()
        return documents, _resident(process), _resident(reader), reader.pid
    except (psutil.Error, ValueError) as error:
        raise EngineError("crashed", "A process that indexes ended meanwhile.", "Try again.") from error


def _resident(process: Any) -> float:
    return float(process.memory_info().rss) / 2**20
