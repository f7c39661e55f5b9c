"""Text recognition of scanned pages by the process that reads files: pages a minute, and how busy the cores are."""

from __future__ import annotations

import os
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from desktop_rag.errors import EngineError
from desktop_rag.evaluation.ingest_cores import share, watching
from desktop_rag.evaluation.ingest_files import scanned_pdf
from desktop_rag.evaluation.ingest_place import Found, Place
from desktop_rag.evaluation.ingest_promises import PROMISES
from desktop_rag.evaluation.rounds import Round, Surroundings, event_of, repeat
from desktop_rag.evaluation.team import Worker

_SPEED, _CORES = "ocr_pages_per_minute", "ocr_cores"
# A round takes half a minute, more on a busy machine.
_EXTRA_ROUNDS = 1


def recognition(place: Place) -> Found:
    """Rounds over the same scan, after a page that loads the networks."""
    path = scanned_pdf(place.folder / "scan.pdf", place.sizes.scans)
    speed: list[Round] = []
    busy: list[Round] = []
    with closing(place.crew.fresh("parse")) as reader:
        _read(reader, scanned_pdf(place.folder / "first.pdf", 1, seed=3))

        def measure(_: int) -> tuple[float, dict[str, Any]]:
            surroundings = Surroundings()
            parts = _measured(reader, path)
            wanted = parts["used"] if parts["wanted"] is None else parts["wanted"]
            busy.append(surroundings.around(wanted, parts))
            return 60 * parts["n"] / parts["seconds"], parts

        for one in repeat(measure, PROMISES[_SPEED].rounds, _EXTRA_ROUNDS):
            speed.append(one)
            yield event_of(_SPEED, len(speed), one)
            yield event_of(_CORES, len(busy), busy[-1])
    return {_SPEED: speed, _CORES: busy}


def _measured(reader: Worker, path: Path) -> dict[str, Any]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    before, begun = _cpu_seconds(reader), time.perf_counter()
    with watching(reader.pid or -1) as counts:
        pages = _read(reader, path)
    seconds = time.perf_counter() - begun
    cpu_s = _cpu_seconds(reader) - before
    used = cpu_s / (seconds * cores)
    return {
        "n": pages,
        "seconds": seconds,
        "cpu_s": cpu_s,
        "cores": cores,
        "used": used,
        "wanted": share(counts, cores),
    }


def _read(reader: Worker, path: Path) -> int:
    """How many pages were recognised. Raises EngineError if one was not."""
    pages = 0
    for event in reader.stream("read", path=str(path)):
        pages += event["event"] == "page" and event["confidence"] is not None
        if event["event"] == "unread":
            raise EngineError("start_failed", "A page of the measured scan could not be read.", "Please report it.")
    return pages


def _cpu_seconds(reader: Worker) -> float:
    try:
        times = psutil.Process(reader.pid).cpu_times()
    except psutil.Error as error:
        raise EngineError("crashed", "The process that reads files ended meanwhile.", "Try again.") from error
    return float(times.user + times.system)
