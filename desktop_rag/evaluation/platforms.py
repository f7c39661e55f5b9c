"""Which rows a benchmark has: the platforms, the copy of the model each of them opens, and how that copy is made."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktop_rag.engines.registry import CTRANSLATE2, GPT4ALL, LLAMA_CPP, REMOTE, TRANSFORMERS
from desktop_rag.errors import ModelError
from desktop_rag.evaluation.team import Event, Team
from desktop_rag.models.installed import Installed, find_installed, installed

_FORMATS = {"ct2": "ct2", "hf": "hf", "gpt4all": "gguf"}
_STEP = 0.1
COMPUTE_TYPES = ("int8", "float32")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One row: the engine, what its options column says, and the copy it needs (None: the model as it is)."""

    engine: str
    options: str = ""
    to: str | None = None
    compute_type: str | None = None


def wanted(base: Installed, engines: Sequence[str] = ()) -> list[Wanted]:
    """The rows for a model: every platform that can open it or a copy of it; only those of `engines` if given."""
    rows: list[Wanted] = []
    if base.format == "gguf":
        rows.append(Wanted(LLAMA_CPP, base.quantisation))
    if base.format == "ct2":
        rows.append(Wanted(CTRANSLATE2, base.quantisation))
    else:
        rows += [Wanted(CTRANSLATE2, kind, "ct2", kind) for kind in COMPUTE_TYPES]
    if base.format == "gguf":
        as_is = GPT4ALL in base.engines
        rows.append(Wanted(GPT4ALL, base.quantisation if as_is else f"{base.quantisation} copy", *_copy(as_is)))
    if base.format != "ct2":
        rows.append(Wanted(TRANSFORMERS, "", None if base.format == "hf" else "hf"))
    if base.format == "gguf":
        rows.append(Wanted(REMOTE, f"llama_cpp.server, {base.quantisation}"))
    return [row for row in rows if not engines or row.engine in engines]


def _copy(as_is: bool) -> tuple[str | None]:
    return (None if as_is else "gpt4all",)


def existing(base: Installed, row: Wanted, data_dir: Path) -> Installed | None:
    """The model a row opens, if it is there."""
    if row.to is None:
        return base
    for model in installed(data_dir):
        fits = model.parent == base.id and model.format == _FORMATS[row.to] and row.engine in model.engines
        if fits and not model.problem and (row.compute_type in (None, model.quantisation)):
            return model
    return None


def prepared(team: Team, base: Installed, row: Wanted) -> Generator[Event, None, Installed]:
    """The model a row opens, made if it is not there; yields the events of the making.

    The making runs in a process of its own, which is gone afterwards with all the memory it took.
    Raises what the conversion raises.
    """
    model = existing(base, row, team.data_dir)
    if model is not None:
        return model
    source = base.id if base.source != "file" else str(base.path)
    done: dict[str, Any] = {}
    with closing(team.fresh("models")) as worker:
        for event in thinned(worker.stream("convert", model=source, to=row.to, compute_type=row.compute_type)):
            if event["event"] == "done":
                done = event
            else:
                yield {**event, "platform": row.engine, "options": row.options}
    return _made(done, base, row, team.data_dir)


def thinned(events: Iterable[Event]) -> Iterator[Event]:
    """The events, without those that tell of a few more bytes: who watches wants steps, not every tensor."""
    text, fraction = "", 0.0
    for event in events:
        now = event.get("fraction")
        if event["event"] == "progress" and event.get("text") == text and now is not None and now < fraction + _STEP:
            continue
        text, fraction = str(event.get("text") or ""), float(now or 0.0)
        yield event


def _made(done: Event, base: Installed, row: Wanted, data_dir: Path) -> Installed:
    told = done.get("model")
    name = told.get("id") if isinstance(told, dict) else told
    model = find_installed(str(name), data_dir) if name else existing(base, row, data_dir)
    if model is None:
        raise ModelError("incompatible", f"{base.name} could not be converted for {row.engine}.", "Try it by hand.")
    return model
