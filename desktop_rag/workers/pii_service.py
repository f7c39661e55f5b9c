"""The `pii` role: finds personal data in texts of a labelled set, with Presidio as it comes beside it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from desktop_rag import paths
from desktop_rag.evaluation.pii_finders import find_both, own_finder, stock_finder
from desktop_rag.models.catalogue import find
from desktop_rag.privacy.detect import PresidioDetector
from desktop_rag.workers.loop import Operation, Request, Service

PII_MODEL = "en_core_web_sm-3.8.0"


def open_service(data_dir: Path, options: dict[str, Any]) -> Service:
    """The role's one operation."""
    # As in the library's process: spaCy must not bring these along.
    for name in ("torch", "transformers"):
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    return Service({"find": _find})


def _find(request: Request) -> Operation:
    """{rows: [{id, text, language}]} -> a "row" event {row} for each: see `find_both`."""
    model = find(PII_MODEL).folder(paths.models_dir())
    yield {"event": "progress", "text": "loading the models", "fraction": 0.0}
    own, stock = own_finder(PresidioDetector(paths.assets_dir() / "recogniser")), stock_finder(model)
    for row in find_both(list(request.args["rows"]), own, stock):
        yield {"event": "row", "row": row}
    return {}
