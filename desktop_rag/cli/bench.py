"""`desktop-rag bench`: the table of platforms, the targets, the probes. A thin face over `desktop_rag.evaluation`."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from desktop_rag.cli.output import Output
from desktop_rag.engines.registry import ENGINES
from desktop_rag.errors import UsageError
from desktop_rag.evaluation import kills
from desktop_rag.evaluation.bench import table
from desktop_rag.evaluation.growth import SIZES, grow
from desktop_rag.evaluation.growth_promises import lines
from desktop_rag.evaluation.ingest import ingest
from desktop_rag.evaluation.ingest_place import Sizes
from desktop_rag.evaluation.ingest_promises import told
from desktop_rag.evaluation.probing import probe, probe_lines
from desktop_rag.evaluation.running import MAX_TOKENS, Choice, bench
from desktop_rag.evaluation.targets import targets
from desktop_rag.models.synthetic_shapes import SHAPES
from desktop_rag.workers.crew import Workers

_PLANNED = ("window",)
_SIGNS = {True: "✓", False: "✗", None: "–"}


def add_commands(subparsers: Any, add: Callable[[Any, str, Any, str], ArgumentParser]) -> None:
    """Put `bench` beside the other commands."""
    parser = add(subparsers, "bench", run_bench, "Measure how fast this machine answers, platform by platform.")
    parser.add_argument(
        "--engine",
        action="append",
        default=[],
        metavar="E",
        help=f"only this engine, may be repeated: {', '.join(ENGINES)}",
    )
    parser.add_argument("--model", metavar="M", help="a model's id, or the path of a file or folder")
    parser.add_argument("--synthetic", metavar="SHAPE", help=f"random weights of a known shape: {', '.join(SHAPES)}")
    parser.add_argument("--url", metavar="URL", help="measure this OpenAI-compatible server")
    parser.add_argument("--online", action="store_true", help="open the network for a --url elsewhere, this once")
    parser.add_argument(
        "--max-tokens", type=int, default=MAX_TOKENS, metavar="N", help=f"the longest answer ({MAX_TOKENS})"
    )
    parser.add_argument(
        "--documents",
        type=int,
        metavar="N",
        help=f"with --ingest: add N documents to see memory stay flat ({Sizes().documents})",
    )
    parser.add_argument("--row", action="append", metavar="NAME", help="with --ingest: only this row; repeatable")
    parser.add_argument(
        "--size",
        action="append",
        type=int,
        metavar="N",
        help=f"with --retrieval: so many passages, repeatable ({', '.join(map(str, SIZES))})",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="with --kills: another S, other moments (0)")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--targets", action="store_true", help="the promised ratios, with every round")
    kind.add_argument(
        "--ingest", action="store_true", help="how fast and steadily documents come in (about 10 minutes)"
    )
    kind.add_argument(
        "--retrieval", action="store_true", help="how the search grows from a thousand passages to a million"
    )
    kind.add_argument(
        "--kills", type=int, metavar="N", help="kill the library N times (200 is a good number) and count what is lost"
    )
    kind.add_argument("--probe", action="store_true", help="what each engine can do, with the evidence")
    for name in _PLANNED:
        kind.add_argument(f"--{name}", action="store_true", help="not available yet")


def run_bench(workers: Workers, options: Namespace, output: Output) -> int:
    """Carry out one of the measurements and print its result."""
    for name in _PLANNED:
        if getattr(options, name):
            raise UsageError("not_available", f"“bench --{name}” is not available yet.")
    _check(options)
    if options.targets:
        return _targets(workers, options, output)
    if options.ingest:
        return _ingest(options, output)
    if options.retrieval:
        return _retrieval(workers, options, output)
    if options.kills is not None:
        done = _followed(kills.kills(Workers, options.kills, options.seed), output)
        output.result(_plain(done), kills.lines(done))
        return 0 if done["lost"] + done["half"] + done["undone"] + done["unequal"] == 0 else 1
    choice = Choice(
        engines=tuple(options.engine),
        model=options.model,
        synthetic=options.synthetic,
        url=options.url,
        online=options.online,
        max_tokens=options.max_tokens,
    )
    if options.probe:
        done = _followed(probe(workers, choice), output)
        output.result(_plain(done), probe_lines(done["engines"]))
        return 0
    done = _followed(bench(workers, choice), output)
    output.result(_plain(done), table(done["rows"], done["skipped"]))
    return 0


def _check(options: Namespace) -> None:
    """What can only fail is refused before anything is measured."""
    if (options.documents is not None or options.row) and not options.ingest:
        raise UsageError("bad_request", "--documents and --row go with --ingest.", "Leave them out.")
    if options.size and not options.retrieval:
        raise UsageError("bad_request", "--size goes with --retrieval.", "Leave it out.")
    if options.max_tokens < 1:
        raise UsageError("bad_request", "An answer has at least one token.", "Give a larger --max-tokens.")
    if options.synthetic and options.synthetic not in SHAPES:
        known = f"Known shapes: {', '.join(SHAPES)}."
        raise UsageError("bad_request", f"There is no shape called “{options.synthetic}”.", known)
    if options.url and not options.url.startswith(("http://", "https://")):
        raise UsageError("bad_request", f"“{options.url}” is no address.", "Write it as http://localhost:8000/v1")


def _targets(workers: Workers, options: Namespace, output: Output) -> int:
    if options.engine or options.synthetic or options.url:
        raise UsageError("bad_request", "The targets are measured with llama.cpp only.", "Leave the other options out.")
    done = _followed(targets(workers, paint=_painted, model=options.model), output)
    output.result(_plain(done), [_target_line(target) for target in done["targets"]])
    return 0


def _ingest(options: Namespace, output: Output) -> int:
    if options.engine or options.model or options.synthetic or options.url:
        raise UsageError("bad_request", "No model is measured with --ingest.", "Leave the other options out.")
    sizes = Sizes() if options.documents is None else Sizes(documents=options.documents)
    done = _followed(ingest(Workers, sizes, options.row or ()), output)
    output.result(_plain(done), [told(row) for row in done["ingest"]])
    return 0


def _retrieval(workers: Workers, options: Namespace, output: Output) -> int:
    if options.engine or options.model or options.synthetic or options.url:
        raise UsageError("bad_request", "No model is measured with --retrieval.", "Leave the other options out.")
    done = _followed(grow(Workers, workers.data_dir, options.size or SIZES), output)
    output.result(_plain(done), lines(done))
    return 0


def _painted(events: Iterable[dict[str, Any]]) -> float:
    """Qt is loaded when something is painted, and not before."""
    # Drawing into memory, Qt complains about what a window without a screen cannot do; stderr is for progress.
    os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")
    from desktop_rag.gui.bench.painting import paint_stream

    return paint_stream(events)


def _followed(events: Iterator[dict[str, Any]], output: Output) -> dict[str, Any]:
    """Show what happens on the way; the last event."""
    last: dict[str, Any] = {}
    for event in events:
        if event["event"] == "done":
            last = event
        else:
            output.progress(_short(event), _line(event))
    return last


def _short(event: dict[str, Any]) -> dict[str, Any]:
    """Progress without the texts of the runs and the rounds' details: the result has them."""
    hidden = {"row": ("runs",), "target": ("details",)}
    return {
        key: {k: v for k, v in value.items() if k not in hidden[key]} if key in hidden else value
        for key, value in event.items()
    }


def _line(event: dict[str, Any]) -> str | None:
    if event["event"] == "progress":
        return f"{event.get('text', '')} …"
    if event["event"] == "row":
        return f"  {event['row']['avg_tok_s']:.1f} tok/s"
    if event["event"] == "skipped":
        return f"  {event['skipped']['error']['message']}"
    if event["event"] == "target":
        return f"  {told(event['target']) if 'unit' in event['target'] else _target_line(event['target'])}"
    return None


def _target_line(target: dict[str, Any]) -> str:
    sign = _SIGNS[target["met"]]
    bound = f"{'≥' if target['at_least'] else '≤'} {target['target']:g}"
    if target["value"] is None:
        return f"{sign} {target['name']:<24} not measured: {target['error']['message']}"
    rounds = " ".join(f"{value:.3g}" for value in target["rounds"])
    line = f"{sign} {target['name']:<24} {target['value']:.3g} ({bound}; rounds {rounds})"
    if instead := target.get("instead"):
        line += f"; {instead['what']} {instead['value']:.3g} (≥ {instead['target']:g})"
    return line


def _plain(done: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in done.items() if key not in ("event", "id")}
