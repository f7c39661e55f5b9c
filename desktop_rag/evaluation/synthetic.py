"""Rows for a real architecture's shape with random weights: speed without a download."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from typing import Any

from desktop_rag.engines.registry import CTRANSLATE2, LLAMA_CPP
from desktop_rag.errors import ModelError
from desktop_rag.evaluation.platforms import Wanted, thinned
from desktop_rag.evaluation.team import Event, Team
from desktop_rag.models.installed import Installed, find_installed

QUANTISATIONS = ("Q4_0", "Q8_0", "F16")
CT2_TYPE = "int8"


def synthetic_rows(shape: str, engines: Sequence[str] = ()) -> list[Wanted]:
    """llama.cpp in three quantisations and CTranslate2 in int8; `shape` itself is checked when it is made."""
    rows = [Wanted(LLAMA_CPP, f"{shape} {quantisation}", quantisation) for quantisation in QUANTISATIONS]
    rows.append(Wanted(CTRANSLATE2, f"{shape} {CT2_TYPE}", CT2_TYPE))
    return [row for row in rows if not engines or row.engine in engines]


def prepared_synthetic(team: Team, shape: str, row: Wanted) -> Generator[Event, None, Installed]:
    """The model of a row, written if it is not there yet. Raises ModelError("out_of_memory") where it is too large."""
    model_format = "ct2" if row.engine == CTRANSLATE2 else "gguf"
    done: dict[str, Any] = {}
    with closing(team.fresh("models")) as worker:
        for event in thinned(worker.stream("synthetic", shape=shape, quantisation=row.to, format=model_format)):
            if event["event"] == "done":
                done = event
            else:
                yield {**event, "platform": row.engine, "options": row.options}
    told = done.get("model")
    name = told.get("id") if isinstance(told, dict) else told
    if not name:
        raise ModelError("not_installed", f"The model of the shape {shape} was not written.", "Try another shape.")
    return find_installed(str(name), team.data_dir)
