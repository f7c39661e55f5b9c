"""`bench --retrieval`: how the search behaves from a thousand passages to a million.

The collections are made up, built once for each size and kept in the cache folder. Questions, new documents and
removals go to the real library worker, through its pipe. Nothing of the user's is touched.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import psutil  # type: ignore[import-untyped]

from desktop_rag import paths
from desktop_rag.errors import ModelError, UsageError
from desktop_rag.evaluation import growth_promises, ingest_text
from desktop_rag.evaluation.growth_plot import svg
from desktop_rag.evaluation.ingest_place import Crew, Place, Sizes, kept_place, place
from desktop_rag.evaluation.retrieval import percentile
from desktop_rag.evaluation.team import Event, Worker
from desktop_rag.store.files import write_private
from desktop_rag.store.migrations import MIGRATIONS

SIZES = (1_000, 10_000, 100_000)
_LEAST, _MOST = 1_000, 1_000_000
_COMPARED_AT_MOST = 100_000
_WARM, _QUESTIONS, _NAIVE_QUESTIONS, _ROUNDS = 5, 60, 5, 3
_ENCODED = 96
_BUILT = "built.json"
Hire = Callable[[Path], Crew]
Steps = Generator[Event, None, dict[str, Any]]


def grow(hire: Hire, data_dir: Path, sizes: Sequence[int] = SIZES) -> Iterator[Event]:
    """Yields "progress" and "size" events, at last "done" with {sizes, encoder, targets, plot, machine}.

    `plot` is a picture in the data directory's `bench` folder. Raises UsageError for a size out of bounds.
    """
    if wrong := [size for size in sizes if not _LEAST <= size <= _MOST]:
        raise UsageError(
            "bad_request", f"{wrong[0]:,} passages cannot be measured.", f"Between {_LEAST:,} and {_MOST:,}."
        )
    from desktop_rag.evaluation.growth_text import Prose  # numpy, for this measurement alone

    prose = Prose()
    base = yield from _base(hire)
    rows = []
    for size in sorted(set(sizes)):
        rows.append((yield from _size(hire, size, prose)))
        yield {"event": "size", "size": rows[-1]}
    naive = yield from _naive(hire, [size for size in sizes if size <= _COMPARED_AT_MOST], prose)
    encoder = yield from _encoders(hire)
    for row in rows:
        # Whoever indexes all of it again has to encode it too.
        again = row["build_s"] + row["chunks"] / encoder["passages_s"]
        row |= {"reindex_s": round(again, 1), "add_share": round(row["add_s"] / again, 6)}
    plot = data_dir / "bench" / "retrieval-growth.svg"
    write_private(plot, svg(rows).encode())
    machine = {"system": platform.platform(), "cores": os.cpu_count()}
    done = {"base_mb": base, "sizes": rows, "rank_bm25": naive, "encoder": encoder}
    yield {"event": "done", **done, "targets": growth_promises.targets(done), "plot": str(plot), "machine": machine}


def _base(hire: Hire) -> Generator[Event, None, float]:
    """Megabytes of a library worker that has everything loaded and holds one passage."""
    yield _told("memory of the empty library")
    with place(hire, Sizes()) as own:
        library = own.crew.library
        _add(own, "A single passage that stands alone in its document.")
        library.call("warm")
        _asked(library, "Which passage stands alone?")
        return _memory_mb(library)


def _size(hire: Hire, size: int, prose: Any) -> Steps:
    root = yield from _built(hire, size)
    built = json.loads((root / _BUILT).read_text(encoding="utf-8"))
    with kept_place(hire, root, Sizes()) as own:
        library = own.crew.library
        yield _told(f"asking {size:,} passages")
        library.call("warm")
        documents = size // 20
        asked = [_asked(library, prose.question(number, documents)) for number in range(_WARM + _QUESTIONS)][_WARM:]
        memory = _memory_mb(library)
        yield _told(f"adding to {size:,} passages, and removing")
        changed = [_changed(own, prose, documents + number) for number in range(_ROUNDS)]
    return _row(size, asked, changed, memory, built["seconds"])


def _row(
    size: int, asked: Sequence[Event], changed: Sequence[tuple[float, float]], memory: float, built: float
) -> dict[str, Any]:
    """`p50_ms` and `p95_ms` are what a question takes beside its own encoding and cleaning, pipe included.

    `rest`: fusing, telling the passages, and the pipe. `build_s`: writing all of it anew, without reading, finding
    personal data, and encoding.
    """
    beside = [one["whole"] - one["encode"] - one["scrub"] for one in asked]
    added = median(one for one, _ in changed)
    return {
        "chunks": size,
        "p50_ms": percentile(beside, 50),
        "p95_ms": percentile(beside, 95),
        **{f"{stage}_p50_ms": percentile([one[stage] for one in asked], 50) for stage in ("bm25", "dense", "encode")},
        "rest_p50_ms": percentile([one["rest"] for one in asked], 50),
        "whole_p50_ms": percentile([one["whole"] for one in asked], 50),
        "n": len(asked),
        "add_s": round(added, 3),
        "remove_s": round(median(other for _, other in changed), 3),
        "build_s": built,
        "memory_mb": memory,
    }


def _asked(library: Worker, question: str) -> dict[str, float]:
    begun = time.perf_counter()
    done = library.call("search", query=question, mode="hybrid", k=10)
    whole = 1000 * (time.perf_counter() - begun)
    steps = {**dict.fromkeys(("bm25", "dense", "encode", "scrub"), 0.0), **done["timings_ms"]}
    return {**steps, "whole": whole, "rest": whole - sum(steps.values())}


def _changed(own: Place, prose: Any, number: int) -> tuple[float, float]:
    """Seconds of adding a document of twenty passages, and of removing it."""
    text = "\n\n".join(prose.text(ranks) for ranks in prose.document(number))
    begun = time.perf_counter()
    document = _add(own, text)
    added = time.perf_counter()
    own.crew.library.call("remove", documents=[document])
    return added - begun, time.perf_counter() - added


def _add(own: Place, text: str) -> str:
    path = own.folder / "new.txt"
    path.write_text(text, encoding="utf-8")
    (row,) = own.crew.library.call("add", paths=[str(path)], review=False)["documents"]
    return str(row["id"])


def _built(hire: Hire, size: int) -> Generator[Event, None, Path]:
    """The folder of a collection of this size; made if it is not there in this version."""
    from desktop_rag.evaluation.growth_text import VERSION
    from desktop_rag.retrieval.analyse import ANALYSER_VERSION

    version = f"{VERSION}-{len(MIGRATIONS)}-{ANALYSER_VERSION}"
    root = paths.private_dir(paths.cache_dir() / "growth") / f"{size}-{version}"
    if not (root / _BUILT).exists():
        for earlier in root.parent.glob(f"{size}-*"):
            shutil.rmtree(earlier)
        root.mkdir(mode=0o700)
        with kept_place(hire, root, Sizes()) as own, closing(own.crew.fresh("retrieval")) as worker:
            for event in worker.stream("grow", chunks=size):
                if event["event"] == "progress":
                    yield event
                elif event["event"] == "done":
                    built = {"seconds": event["seconds"]}
        write_private(root / _BUILT, json.dumps(built).encode())
    return root


def _naive(hire: Hire, sizes: Sequence[int], prose: Any) -> Generator[Event, None, dict[str, Any] | None]:
    """rank_bm25 over the largest of the collections it can hold."""
    if not sizes:
        return None
    size = max(sizes)
    yield _told(f"rank_bm25 over {size:,} passages")
    questions = [prose.question(_WARM + number, size // 20) for number in range(_NAIVE_QUESTIONS)]
    with place(hire, Sizes()) as own, closing(own.crew.fresh("bench")) as worker:
        spent = worker.call("rank_bm25", chunks=size, questions=questions)["ms"]
    return {"chunks": size, "p50_ms": percentile(spent, 50), "n": len(spent)}


def _encoders(hire: Hire) -> Steps:
    """Passages a second of ours and of sentence-transformers as it comes, by turns over the same texts.

    Where the other cannot run, it has no figures, and `error` says why: what was measured before is not lost for it.
    """
    yield _told("encoding, and sentence-transformers as it comes")
    mine: list[float] = []
    default: list[float] = []
    error = None
    with (
        place(hire, Sizes()) as own,
        closing(own.crew.fresh("retrieval")) as ours,
        closing(own.crew.fresh("bench")) as other,
    ):
        for number in range(_ROUNDS):
            chance = Random(number)
            texts = [ingest_text.paragraph(chance, sentences=9) for _ in range(_ENCODED)]
            mine.append(_ENCODED / ours.call("encode", texts=texts)["seconds"])
            if error is None:
                try:
                    default.append(_ENCODED / other.call("default_encode", texts=texts)["seconds"])
                except ModelError as missing:
                    error = missing.cause()
    ratios = [one / another for one, another in zip(mine, default, strict=False)]
    return {
        "passages_s": round(median(mine), 1),
        "default_passages_s": round(median(default), 1) if default else None,
        "times": round(median(ratios), 2) if ratios else None,
        "rounds": [round(ratio, 2) for ratio in ratios],
        "n": _ENCODED,
        "error": error,
    }


def _memory_mb(worker: Worker) -> float:
    """Memory that only this process holds, in MB."""
    return round(float(psutil.Process(worker.pid).memory_full_info().uss) / 1e6, 1)


def _told(text: str) -> Event:
    return {"event": "progress", "text": text}
