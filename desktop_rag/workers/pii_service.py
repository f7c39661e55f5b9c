"""The `pii` role: finds personal data in the texts of a measurement, with Presidio as it comes beside it."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

from desktop_rag import paths
from desktop_rag.evaluation.ingest_pii_work import compared, lengths, names_alone, reports, timed
from desktop_rag.evaluation.pii_finders import Find, find_both, own_finder, stock_finder
from desktop_rag.models.catalogue import SPACY_MODEL, find
from desktop_rag.privacy.detect import PresidioDetector
from desktop_rag.workers.loop import Operation, Request, Service


def open_service(data_dir: Path, options: dict[str, Any]) -> Service:
    """The role's operations."""
    # As in the library's process: spaCy must not bring these along.
    for name in ("torch", "transformers"):
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    return Service({"find": _find, "find_own": _find_own, "compare": _compare, "scrub": _scrub, "lengths": _lengths})


def _find(request: Request) -> Operation:
    """{rows: [{id, text, language}]} -> a "row" event {row} for each: see `find_both`."""
    yield {"event": "progress", "text": "loading the models", "fraction": 0.0}
    for row in find_both(list(request.args["rows"]), _own(), stock_finder(_model())):
        yield {"event": "row", "row": row}
    return {}


def _find_own(request: Request) -> Operation:
    """{rows: [{id, text}]} -> a "row" event {row: {id, spans}} for each: what the application finds in it."""
    yield {"event": "progress", "text": "loading the models", "fraction": 0.0}
    find = _own()
    for row in request.args["rows"]:
        yield {"event": "row", "row": {"id": row["id"], "spans": find(str(row["text"]))}}
    return {}


def _compare(request: Request) -> Operation:
    """{characters, seed, reverse} -> {characters, ours, stock, names}: see `compared`."""
    yield None
    ways = {name: _way(name) for name in ("ours", "stock", "names")}
    args = request.args
    return compared(ways, int(args["characters"]), int(args["seed"]), reverse=bool(args["reverse"]))


def _scrub(request: Request) -> Operation:
    """{way, characters, seed} -> {cpu_s, seconds, f1}: see `timed`."""
    yield None
    find = _way(str(request.args["way"]))
    return timed(find, reports(int(request.args["characters"]), int(request.args["seed"])))


def _lengths(request: Request) -> Operation:
    """{characters, seed} -> {short, long}: see `lengths`."""
    yield None
    return dict(lengths(_way("ours"), int(request.args["characters"]), int(request.args["seed"])))


@cache
def _way(name: str) -> Find:
    if name == "ours":
        return _own()
    if name == "names":
        return names_alone(_model())
    stock = stock_finder(_model())
    return lambda text: stock(text, "en")


def _own() -> Find:
    return own_finder(PresidioDetector(paths.assets_dir() / "recogniser"))


def _model() -> Path:
    return find(SPACY_MODEL).folder(paths.models_dir())
