"""Finding personal data against Presidio as it comes: in one process, with all cores, and as texts grow."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any

from desktop_rag.evaluation.ingest_place import Found, Place
from desktop_rag.evaluation.ingest_promises import PROMISES
from desktop_rag.evaluation.rounds import collected
from desktop_rag.evaluation.team import Worker

_ONE, _BOTH, _LINEAR = "pii_vs_stock", "pii_two_processes", "pii_linear"
_PROCESSES = 2


def against_stock(place: Place) -> Found:
    """Rounds of the finders over the same new texts, taking turns in going first."""
    with closing(place.crew.fresh("pii")) as worker:

        def measure(number: int) -> tuple[float, dict[str, Any]]:
            told = worker.call("compare", characters=place.sizes.characters, seed=number, reverse=bool(number % 2))
            ours, stock, names = (told[way] for way in ("ours", "stock", "names"))
            size = told["characters"]
            parts = {"n": size, "f1": ours["f1"], "stock_f1": stock["f1"], "of_names_alone": _ratio(names, ours)}
            parts |= {f"{way}_chars_s": round(size / told[way]["cpu_s"]) for way in ("ours", "stock", "names")}
            return _ratio(stock, ours), parts

        measure(-1)
        return (yield from collected(_ONE, measure, PROMISES[_ONE].rounds, extra=0))


def two_processes(place: Place) -> Found:
    """Two processes with half of the texts each, against Presidio as it comes in one, by the clock on the wall."""
    size = place.sizes.characters
    with ExitStack() as held:
        workers = [held.enter_context(closing(place.crew.fresh("pii"))) for _ in range(_PROCESSES)]
        pool = held.enter_context(ThreadPoolExecutor(_PROCESSES))

        def measure(number: int) -> tuple[float, dict[str, Any]]:
            stock = workers[0].call("scrub", way="stock", characters=size, seed=number)["seconds"]
            begun = time.perf_counter()
            halves = [
                pool.submit(_scrub, worker, size // _PROCESSES, 2 * number + half)
                for half, worker in enumerate(workers)
            ]
            for one in halves:
                one.result()
            ours = time.perf_counter() - begun
            return stock / ours, {"n": size, "stock_s": stock, "ours_s": ours}

        measure(-1)
        return (yield from collected(_BOTH, measure, PROMISES[_BOTH].rounds, extra=0))


def linear(place: Place) -> Found:
    """A page ten times as long."""
    with closing(place.crew.fresh("pii")) as worker:

        def measure(number: int) -> tuple[float, dict[str, Any]]:
            told = worker.call("lengths", characters=place.sizes.page, seed=number)
            return told["long"] / told["short"], {"n": place.sizes.page, "short": told["short"], "long": told["long"]}

        measure(-1)
        return (yield from collected(_LINEAR, measure, PROMISES[_LINEAR].rounds, extra=0))


def _scrub(worker: Worker, characters: int, seed: int) -> None:
    worker.call("scrub", way="ours", characters=characters, seed=seed)


def _ratio(slow: dict[str, Any], quick: dict[str, Any]) -> float:
    return float(slow["cpu_s"] / quick["cpu_s"])
