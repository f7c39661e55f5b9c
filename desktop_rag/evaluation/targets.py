"""`bench --targets`: the promises on speed and memory, each as a ratio inside one run, with every round.

Both sides of a ratio are measured in turn on the same machine, model and prompt; the value is the
median of its rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence

from desktop_rag.errors import DesktopRagError, UsageError
from desktop_rag.evaluation import records, target_decode, target_memory, target_reuse
from desktop_rag.evaluation.promises import TARGETS
from desktop_rag.evaluation.rounds import unmeasured, verdict
from desktop_rag.evaluation.running import machine_of
from desktop_rag.evaluation.stage import Paint, Stage
from desktop_rag.evaluation.target_decode import Found
from desktop_rag.evaluation.team import Event, Team
from desktop_rag.models.installed import resolve

_GROUPS: tuple[tuple[tuple[str, ...], Callable[[Stage], Found]], ...] = (
    (("decode_vs_bare_loop",), target_decode.against_bare_loop),
    (("decode_vs_high_level",), target_decode.against_high_level),
    (("decode_vs_bandwidth_1b",), target_decode.against_bandwidth),
    (("ttft_followup", "ttft_restart"), target_reuse.first_tokens),
    (("lookup_extractive",), target_reuse.lookup_extractive),
    (("lookup_chat",), target_reuse.lookup_chat),
    (("chat_overhead_mb",), target_memory.overhead),
    (("memory_estimate_error",), target_memory.estimate_error),
)


def targets(
    team: Team, *, paint: Paint | None = None, model: str | None = None, names: Sequence[str] = ()
) -> Iterator[Event]:
    """Yields "progress", "round" and "target" events, and at last "done" with {targets, machine, record}.

    `paint` times the painting of a stream of events; `names` picks some of the targets. A target that
    cannot be measured has no value and says why; the others go on.
    """
    unknown = [name for name in names if name not in TARGETS]
    if unknown:
        raise UsageError("bad_request", f"There is no target “{unknown[0]}”.", f"Known: {', '.join(TARGETS)}.")
    base, _ = resolve(model, team.data_dir, "llama.cpp")
    stage = Stage(team, base, paint)
    groups = [(group, perform) for group, perform in _GROUPS if not names or set(group) & set(names)]
    yield {"event": "progress", "text": "Measuring this machine", "fraction": 0.0}
    machine = machine_of(team)
    found: list[Event] = []
    for number, (group, perform) in enumerate(groups):
        yield {"event": "progress", "text": ", ".join(group), "fraction": round(number / len(groups), 3)}
        for one in (yield from _group(stage, group, perform)):
            found.append(one)
            yield {"event": "target", "target": one}
    result = {"targets": found, "machine": machine, "model": base.id}
    yield {"event": "done", **result, "record": records.save(team.data_dir, "targets", result, [base.path]).name}


def _group(
    stage: Stage, group: Sequence[str], perform: Callable[[Stage], Found]
) -> Generator[Event, None, list[Event]]:
    try:
        rounds = yield from perform(stage)
    except DesktopRagError as error:
        cause = error.cause()
        return [unmeasured(TARGETS[name], cause) for name in group]
    return [verdict(TARGETS[name], rounds[name]) for name in group]
