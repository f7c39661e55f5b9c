"""The benchmark as a run of events: the terminal prints them, the window shows them, tests read them.

Every row has a worker process of its own, so that its memory is its own; a platform that cannot run is
noted with its reason and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from desktop_rag.engines.registry import LLAMA_CPP, REMOTE, check_engine
from desktop_rag.errors import DesktopRagError, EngineError, NetworkError
from desktop_rag.evaluation import records
from desktop_rag.evaluation.bench import Run, summary
from desktop_rag.evaluation.limits import Limit, limit_of, served_limit
from desktop_rag.evaluation.measuring import Watch, greedy, peak_rss_mb, watched
from desktop_rag.evaluation.platforms import Wanted, prepared, wanted
from desktop_rag.evaluation.prompts import QUESTIONS, WARM_UP
from desktop_rag.evaluation.synthetic import prepared_synthetic, synthetic_rows
from desktop_rag.evaluation.team import Event, Team, Worker
from desktop_rag.meter.machine import Machine, remembered
from desktop_rag.models.installed import Installed, resolve
from desktop_rag.offline import thread_budget
from desktop_rag.settings import Settings
from desktop_rag.workers.loopback import LoopbackServer

MAX_TOKENS = 64
CONTEXT = 2048
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Choice:
    """What to measure; the defaults are every platform with the model of the settings.

    `online` says that a person allowed just now what `url` needs.
    """

    engines: tuple[str, ...] = ()
    model: str | None = None
    synthetic: str | None = None
    url: str | None = None
    online: bool = False
    max_tokens: int = MAX_TOKENS


@dataclass(slots=True)
class _Bench:
    """One run: who works, what is asked, and what came of it."""

    team: Team
    choice: Choice
    counter: Worker
    machine: dict[str, Any]
    measured: Machine | None
    rows: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[dict[str, Any]] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A worker with a model in it: what it said of itself, whose memory counts, whose tokenizer, and its limit."""

    worker: Worker
    status: Event
    pid: int | None
    tokenizer: Path | None
    limit: Limit | None


def bench(team: Team, choice: Choice) -> Iterator[Event]:
    """Yields "machine", "progress", "row" and "skipped" events, and at last "done" with the whole result.

    The result is {rows, skipped, machine, record}. Raises the first platform's error when none could run.
    """
    engines = tuple(check_engine(name) for name in choice.engines)
    with closing(team.fresh("bench")) as counter:
        yield _progress("Measuring this machine", 0.0)
        run = _Bench(team, choice, counter, machine_of(team), remembered(team.data_dir))
        yield {"event": "machine", "machine": run.machine}
        first: DesktopRagError | None = None
        plan = list(_plan(run, engines))
        for number, (name, options, perform) in enumerate(plan):
            yield _progress(f"{name} {options}".strip(), number / len(plan))
            try:
                yield from perform()
            except DesktopRagError as error:
                first = first or error
                run.skipped.append(_note(name, options, error))
                yield {"event": "skipped", "skipped": run.skipped[-1]}
    if first is not None and not run.rows:
        raise first
    result = {"rows": run.rows, "skipped": run.skipped, "machine": run.machine}
    yield {"event": "done", **result, "record": records.save(team.data_dir, "bench", result, run.files).name}


_Step = tuple[str, str, Callable[[], Generator[Event, None, None]]]
_Making = Generator[Event, None, Installed]


def _plan(run: _Bench, engines: Sequence[str]) -> Iterator[_Step]:
    """What will be measured, one after the other."""
    choice = run.choice
    if choice.synthetic:
        for row in synthetic_rows(choice.synthetic, engines):
            yield row.engine, row.options, partial(_measured, run, _made_up, row)
        return
    if choice.url:
        yield REMOTE, _host(choice.url), partial(_measure_url, run, choice.url)
    if choice.url and not engines:
        return
    base, _ = resolve(choice.model, run.team.data_dir)
    for row in wanted(base, engines):
        if row.engine == REMOTE and choice.url:
            continue
        yield row.engine, row.options, partial(_measured, run, partial(_copy_of, base), row)


def _copy_of(base: Installed, run: _Bench, row: Wanted) -> _Making:
    return prepared(run.team, base, row)


def _made_up(run: _Bench, row: Wanted) -> _Making:
    return prepared_synthetic(run.team, str(run.choice.synthetic), row)


def _measured(run: _Bench, prepare: Callable[[_Bench, Wanted], _Making], row: Wanted) -> Generator[Event, None, None]:
    model = yield from prepare(run, row)
    run.files.append(model.path)
    opened = opened_served(run.team, model) if row.engine == REMOTE else opened_local(run.team, model, row)
    with opened as loaded:
        yield from _row(run, loaded, row.engine, row.options, model.id)


def _measure_url(run: _Bench, url: str) -> Generator[Event, None, None]:
    purpose = "loopback" if _host(url) in _LOOPBACK else "remote_model"
    if purpose == "remote_model" and not run.choice.online:
        raise NetworkError(
            "sealed", "A server elsewhere is asked only when you open the network.", "Add --online to this command."
        )
    worker = run.team.network(purpose, opened=run.choice.online)
    try:
        status = worker.call("load", url=url, model=run.choice.model)
        loaded = Loaded(worker, status, None, None, None)
        yield from _row(run, loaded, REMOTE, _host(url), str(status.get("model") or run.choice.model or ""))
    finally:
        run.team.leave_network(purpose)


@contextmanager
def opened_local(team: Team, model: Installed, row: Wanted) -> Iterator[Loaded]:
    """A chat process with this model in it."""
    options: dict[str, Any] = {"context": CONTEXT, "threads": thread_budget("chat"), "lookup": False}
    if row.compute_type:
        options["compute_type"] = row.compute_type
    with closing(team.fresh("chat")) as worker:
        status = worker.call("load", engine=row.engine, model=_name(model), options=options)
        if row.engine == LLAMA_CPP:
            status = {**status, "kv_type": Settings(team.data_dir)["kv_type"]}
        yield Loaded(worker, status, worker.pid, model.path, limit_of(model, status))


@contextmanager
def opened_served(team: Team, model: Installed) -> Iterator[Loaded]:
    """A real OpenAI-compatible server on this machine, and the one process that may speak to it."""
    with ExitStack() as stack:
        server = stack.enter_context(LoopbackServer(model.path, threads=thread_budget("chat"), context=CONTEXT))
        stack.callback(team.leave_network, "loopback")
        worker = team.network("loopback")
        status = worker.call("load", url=server.url, model=server.model, key_file=str(server.key_file))
        status = {**status, "device": "cpu", "threads": thread_budget("chat")}
        yield Loaded(worker, status, server.pid, model.path, served_limit(model))


def _row(run: _Bench, loaded: Loaded, platform: str, options: str, model: str) -> Generator[Event, None, None]:
    """Ask everything, the warm-up first, and put the row together."""
    watched(loaded.worker, "complete", **greedy(WARM_UP, max_tokens=run.choice.max_tokens))
    watches = []
    for number, question in enumerate(QUESTIONS):
        watches.append(watched(loaded.worker, "complete", **greedy(question, max_tokens=run.choice.max_tokens)))
        yield {"event": "run", "platform": platform, "options": options, "number": number + 1, "of": len(QUESTIONS)}
    peak = peak_rss_mb(loaded.pid)
    runs = _runs(run, loaded, watches)
    row = {
        "platform": platform,
        "options": options or str(loaded.status.get("options") or ""),
        "device": str(loaded.status.get("device") or "remote"),
        "model": model,
        **summary(runs),
        "peak_rss_mb": peak,
        "threads": loaded.status.get("threads"),
        "gpu_layers": loaded.status.get("gpu_layers"),
        "kv_type": loaded.status.get("kv_type"),
        "max_tokens": run.choice.max_tokens,
        "runs": [one.to_payload() for one in runs],
    }
    run.rows.append(row)
    yield {"event": "row", "row": row}


def _runs(run: _Bench, loaded: Loaded, watches: Sequence[Watch]) -> list[Run]:
    texts = ["".join(watch.text) for watch in watches]
    if not all(text.strip() for text in texts):
        raise EngineError("start_failed", "The model wrote nothing.", "Another model may do.")
    if loaded.tokenizer is None:
        counts = [int(watch.usage["generated_tokens"]) for watch in watches]
    else:
        counts = run.counter.call("count", path=str(loaded.tokenizer), texts=texts)["counts"]
    return [
        _one(watch, text, count, loaded, run.measured)
        for watch, text, count in zip(watches, texts, counts, strict=True)
    ]


def _one(watch: Watch, text: str, count: int, loaded: Loaded, machine: Machine | None) -> Run:
    usage = watch.usage
    decode = usage.get("decode_tps")
    fraction = usage.get("roofline_fraction")
    if fraction is None and loaded.limit and machine and decode is not None:
        fraction = loaded.limit.fraction(float(decode), usage, machine.gbs_for(loaded.limit.read_bytes))
    return Run(
        text=text,
        seconds=watch.ended,
        output_tokens=count,
        prompt_tokens=usage.get("prompt_tokens"),
        ttft_s=watch.first,
        generated_tokens=usage.get("generated_tokens"),
        reused_tokens=usage.get("reused_tokens"),
        decode_tps=decode,
        prefill_tps=usage.get("prefill_tps"),
        roofline_fraction=fraction,
        reason=str(watch.done.get("reason") or ""),
    )


def machine_of(team: Team) -> dict[str, Any]:
    """What this machine is and can do, measured where it was not yet."""
    with closing(team.fresh("models")) as worker:
        told = worker.call("machine")
    return {key: value for key, value in told.items() if key not in ("event", "id")}


def _name(model: Installed) -> str:
    return str(model.path) if model.source == "file" else model.id


def _host(url: str) -> str:
    return urlsplit(url).hostname or url


def _note(platform: str, options: str, error: DesktopRagError) -> dict[str, Any]:
    cause = error.cause()
    return {"platform": platform, "options": options, "error": cause}


def _progress(text: str, fraction: float) -> Event:
    return {"event": "progress", "text": text, "fraction": round(fraction, 3)}
