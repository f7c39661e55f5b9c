"""`bench --probe`: the table of engines and capabilities, each cell with the evidence that earned it."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any

from desktop_rag.engines.registry import REMOTE, check_engine
from desktop_rag.errors import DesktopRagError
from desktop_rag.evaluation import records
from desktop_rag.evaluation.measuring import greedy, watched
from desktop_rag.evaluation.platforms import Wanted, prepared, wanted
from desktop_rag.evaluation.probes import WORKER_PROBES, Probed, tried
from desktop_rag.evaluation.prompts import WARM_UP
from desktop_rag.evaluation.running import Choice, opened_local, opened_served
from desktop_rag.evaluation.team import Event, Team
from desktop_rag.models.installed import Installed, resolve
from desktop_rag.offline import thread_budget

_SIGNS = {True: "yes", False: "no", None: "–"}
# Counters for a monitoring system come with the local server, which does not exist yet.
_LATER = Probed("metrics", None, {"reason": "not available yet"})


def probe(team: Team, choice: Choice) -> Iterator[Event]:
    """Yields "progress" and "probe" events, and at last "done" with {engines: [{engine, options, probes}], record}."""
    asked = tuple(check_engine(name) for name in choice.engines)
    base, _ = resolve(choice.model, team.data_dir)
    rows = list({row.engine: row for row in reversed(wanted(base, asked))}.values())[::-1]
    engines: list[dict[str, Any]] = []
    for number, row in enumerate(rows):
        yield {"event": "progress", "text": row.engine, "fraction": round(number / len(rows), 3)}
        found: dict[str, Any] = {"engine": row.engine, "options": row.options, "probes": [], "error": None}
        try:
            for event in _probed(team, base, row):
                if event["event"] == "probe":
                    found["probes"].append(event["probe"])
                yield {**event, "engine": row.engine}
        except DesktopRagError as error:
            found["error"] = error.cause()
        engines.append(found)
    result = {"engines": engines, "model": base.id}
    yield {"event": "done", **result, "record": records.save(team.data_dir, "probe", result, [base.path]).name}


def _probed(team: Team, base: Installed, row: Wanted) -> Generator[Event, None, None]:
    model = yield from prepared(team, base, row)
    opened = opened_served(team, model) if row.engine == REMOTE else opened_local(team, model, row)
    with opened as loaded:
        watched(loaded.worker, "complete", **greedy(WARM_UP, max_tokens=8))
        for name, perform in WORKER_PROBES:
            yield _event(tried(name, partial(perform, loaded.worker)))
    yield _event(_LATER)
    if row.engine != REMOTE:
        options = {"threads": thread_budget("chat"), **({"compute_type": row.compute_type} if row.compute_type else {})}
        with closing(team.fresh("bench")) as worker:
            for event in worker.stream("probe", engine=row.engine, path=str(model.path), options=options):
                if event["event"] == "probe":
                    yield {"event": "probe", "probe": event["probe"]}


def _event(probed: Probed) -> Event:
    return {"event": "probe", "probe": probed.to_payload()}


def probe_lines(engines: Sequence[Mapping[str, Any]]) -> list[str]:
    """The table as lines: capabilities down, engines across."""
    names = list(dict.fromkeys(probe["capability"] for engine in engines for probe in engine["probes"]))
    width = max((len(name) for name in names), default=0)
    heads = [str(engine["engine"]) for engine in engines]
    lines = [" | ".join([" " * width, *heads])]
    for name in names:
        cells = [_cell(engine["probes"], name).center(len(head)) for engine, head in zip(engines, heads, strict=True)]
        lines.append(" | ".join([name.ljust(width), *cells]))
    return lines + [f"{engine['engine']}: {engine['error']['message']}" for engine in engines if engine["error"]]


def _cell(probes: Sequence[Mapping[str, Any]], name: str) -> str:
    return next((_SIGNS[probe["holds"]] for probe in probes if probe["capability"] == name), "–")
