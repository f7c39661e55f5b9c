"""Taking in a folder from file to answerable: against the pipeline everybody writes first, and beside a chat."""

from __future__ import annotations

import threading
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from desktop_rag.errors import Cancelled
from desktop_rag.evaluation.ingest_files import abstracts
from desktop_rag.evaluation.ingest_place import Found, Place
from desktop_rag.evaluation.ingest_promises import PROMISES
from desktop_rag.evaluation.measuring import greedy, watched
from desktop_rag.evaluation.prompts import LONG
from desktop_rag.evaluation.rounds import collected
from desktop_rag.evaluation.team import Worker

_NAIVE, _BESIDE = "ingest_vs_naive", "decode_while_ingesting"
_TOKENS = 384


def against_naive(place: Place) -> Found:
    """Both take in the same new folder, one after the other; each has taken in one before."""
    count = place.sizes.taken_in
    with closing(place.crew.fresh("bench")) as worker:

        def measure(number: int) -> tuple[float, dict[str, Any]]:
            folder = abstracts(place.folder / f"folder {number}", count, seed=100 + number)
            naive = worker.call("naive_ingest", folder=str(folder))
            seconds = _take_in(place.crew.library, folder)
            steps = {name: round(naive[name], 2) for name in ("seconds", "scrub_s", "encode_s", "index_s")}
            parts = {"n": count, "characters": naive["characters"], "ours_s": round(seconds, 2), "naive": steps}
            return naive["seconds"] / seconds, parts

        measure(-1)
        return (yield from collected(_NAIVE, measure, PROMISES[_NAIVE].rounds, extra=0))


def beside_chat(place: Place) -> Found:
    """How fast the model writes while a folder is taken in, as a share of its speed on an idle machine."""
    with closing(place.crew.fresh("chat")) as chat:
        chat.call("load", options={"lookup": False})
        watched(chat, "complete", **greedy(LONG, max_tokens=8))

        def measure(number: int) -> tuple[float, dict[str, Any]]:
            folder = abstracts(place.folder / f"beside {number}", 4 * place.sizes.taken_in, seed=200 + number)
            idle = _speed(chat)
            with _Busy(place.crew.library, folder) as work:
                busy = _speed(chat)
                alive = work.is_alive()
            parts = {"n": _TOKENS, "idle_tok_s": idle, "busy_tok_s": busy, "all_the_while": alive}
            return busy / idle, parts

        return (yield from collected(_BESIDE, measure, PROMISES[_BESIDE].rounds, extra=0))


class _Busy:
    """Takes in a folder in the background; what is not done at the end is given up."""

    def __init__(self, library: Worker, folder: Path) -> None:
        self._library = library
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._work, args=(folder,), name="ingest", daemon=True)

    def _work(self, folder: Path) -> None:
        with suppress(Cancelled):
            for event in self._library.stream("add", paths=[str(folder)], policy="pseudonymise", review=False):
                if event.get("state") == "ready":
                    self._begun.set()
        self._begun.set()

    def __enter__(self) -> threading.Thread:
        self._thread.start()
        self._begun.wait()
        return self._thread

    def __exit__(self, *_: object) -> None:
        self._library.cancel()
        self._thread.join()


def _take_in(library: Worker, folder: Path) -> float:
    begun = time.perf_counter()
    library.call("add", paths=[str(folder)], policy="pseudonymise", review=False)
    return time.perf_counter() - begun


def _speed(chat: Worker) -> float:
    watch = watched(chat, "complete", **greedy(LONG, max_tokens=_TOKENS, ignore_end=True))
    return (watch.last_generated - watch.first_generated) / watch.decode_seconds
