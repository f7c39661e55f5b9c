"""`bench --ingest`: how fast documents come in, how flat memory stays, how soon Cancel stops; each with its rounds.

Everything is measured on this machine in one run, on documents made for the occasion, in data directories of its
own that are gone afterwards.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from desktop_rag.errors import DesktopRagError, UsageError
from desktop_rag.evaluation import (
    ingest_cancel,
    ingest_folder,
    ingest_memory,
    ingest_ocr,
    ingest_pdf,
    ingest_pii,
    ingest_whole,
)
from desktop_rag.evaluation.ingest_place import Crew, Found, Place, Sizes, place
from desktop_rag.evaluation.ingest_promises import PROMISES, unmeasured, verdict
from desktop_rag.evaluation.team import Event

_GROUPS: tuple[tuple[tuple[str, ...], Callable[[Place], Found]], ...] = (
    (("pdf_vs_pdfium",), ingest_pdf.against_pdfium),
    (("folder_check_s",), ingest_folder.check),
    (("ocr_pages_per_minute", "ocr_cores"), ingest_ocr.recognition),
    (("memory_growth", "reader_memory_growth"), ingest_memory.growth),
    (("pii_vs_stock",), ingest_pii.against_stock),
    (("pii_two_processes",), ingest_pii.two_processes),
    (("pii_linear",), ingest_pii.linear),
    (("ingest_vs_naive",), ingest_whole.against_naive),
    (("decode_while_ingesting",), ingest_whole.beside_chat),
    (("cancel_s",), ingest_cancel.cancels),
)


def ingest(hire: Callable[[Path], Crew], sizes: Sizes | None = None, names: Sequence[str] = ()) -> Iterator[Event]:
    """Yields "progress", "round" and "target" events, and at last "done" with {ingest, sizes, machine, seconds}.

    `hire` gives the workers of a data directory; `names` picks some of the rows. A row that cannot be measured has no
    value and says why; the others go on.
    """
    sizes = sizes or Sizes()
    _check(sizes, names)
    begun = time.monotonic()
    groups = [(group, perform) for group, perform in _GROUPS if not names or set(group) & set(names)]
    found: list[Event] = []
    for number, (group, perform) in enumerate(groups):
        yield {"event": "progress", "text": ", ".join(group), "fraction": round(number / len(groups), 3)}
        for one in (yield from _group(hire, sizes, group, perform)):
            found.append(one)
            yield {"event": "target", "target": one}
    machine = {"system": platform.platform(), "cores": os.cpu_count()}
    seconds = round(time.monotonic() - begun, 1)
    yield {"event": "done", "ingest": found, "sizes": asdict(sizes), "machine": machine, "seconds": seconds}


def _check(sizes: Sizes, names: Sequence[str]) -> None:
    if unknown := [name for name in names if name not in PROMISES]:
        raise UsageError("bad_request", f"There is no row “{unknown[0]}”.", f"Known: {', '.join(PROMISES)}.")
    if sizes.documents <= sizes.settled:
        raise UsageError(
            "bad_request",
            f"Memory is compared with that after {sizes.settled} documents.",
            "Give a larger --documents.",
        )


def _group(
    hire: Callable[[Path], Crew], sizes: Sizes, group: Sequence[str], perform: Callable[[Place], Found]
) -> Generator[Event, None, list[Event]]:
    try:
        with place(hire, sizes) as own:
            rounds = yield from perform(own)
    except DesktopRagError as error:
        cause = error.cause()
        return [unmeasured(PROMISES[name], cause) for name in group]
    return [verdict(PROMISES[name], rounds[name]) for name in group]
