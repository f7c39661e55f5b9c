"""`desktop-rag eval`: measurements of quality. A thin face over `desktop_rag.evaluation`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from desktop_rag.answering.answer import answer
from desktop_rag.cli import marking
from desktop_rag.cli.output import Output
from desktop_rag.errors import UsageError
from desktop_rag.evaluation import pii, retrieval, scrubbing
from desktop_rag.evaluation.parsing import evaluate, table
from desktop_rag.evaluation.retrieval_table import one_set, tables, weight_lines
from desktop_rag.retrieval.modes import MODES
from desktop_rag.workers.choice import choose
from desktop_rag.workers.crew import Workers
from desktop_rag.workers.parsing import Parser


def add_commands(subparsers: Any, add: Callable[[Any, str, Any, str], ArgumentParser]) -> None:
    """Put `eval` with its kinds beside the other commands."""
    parser = subparsers.add_parser(
        "eval", help="Measure how well this works.", description="Measure how well it works."
    )
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True, parser_class=type(parser))
    files = add(
        kinds, "files", run_files, "Read files, and attacks made on the spot, against what is expected of them."
    )
    files.add_argument("folder", metavar="DIR", help="a folder with a MANIFEST.jsonl")
    files.add_argument("--no-attacks", action="store_true", help="only the files")
    found = add(kinds, "pii", run_pii, "Look for personal data in a labelled set, with Presidio as it comes beside it.")
    found.add_argument("file", metavar="FILE", help="lines of {id, text, language, spans}")
    ranked = add(kinds, "retrieval", run_retrieval, "Rank the documents of judged sets by every mode of the search.")
    ranked.add_argument("folders", nargs="*", metavar="DIR", help="corpus.jsonl, queries.jsonl and qrels/test.tsv")
    ranked.add_argument("--mine", action="store_true", help="your own questions on your own documents instead")
    ranked.add_argument("--collection", metavar="NAME", help="with --mine: only this collection")
    ranked.add_argument("--mode", action="append", choices=MODES, help="only this; repeatable")
    ranked.add_argument(
        "--encoder",
        action="append",
        metavar="X",
        help="not the one that suits the languages, but this; more of them are measured beside it",
    )
    ranked.add_argument("--reranker", metavar="X", help="read candidates again with this cross-encoder")
    ranked.add_argument("--run", metavar="FILE", help="write the rankings as TREC reads them, named by their modes")
    marking.add_options(ranked)
    cost = add(
        kinds, "scrubbing", run_scrubbing, "Measure what replacing personal data costs: the same questions each time."
    )
    cost.add_argument("file", metavar="FILE", help="lines of {id, question, answers, contexts | documents, answerable}")
    cost.add_argument("--limit", type=int, default=200, metavar="N", help="how many questions (200)")
    cost.add_argument("--policy", action="append", choices=scrubbing.POLICIES, help="only these, beside keep")
    cost.add_argument("--answers", type=int, default=0, metavar="N", help="have the model answer so many of them too")


def run_files(workers: Workers, options: Namespace, output: Output) -> int:
    """Print the table of files and attacks; 0 if at least 97 % are as expected."""
    folder = Path(options.folder).expanduser().absolute()
    events = evaluate(lambda: Parser(workers.data_dir), folder, attacks=not options.no_attacks)
    done = _followed(events, output)
    output.result({key: value for key, value in done.items() if key != "event"}, table(done))
    return 0 if done["totals"]["met"] else 1


def run_pii(workers: Workers, options: Namespace, output: Output) -> int:
    """Print what was found of a labelled set."""
    done = _followed(pii.evaluate(workers, Path(options.file).expanduser().absolute()), output)
    output.result({key: value for key, value in done.items() if key != "event"}, pii.table(done))
    return 0


def run_retrieval(workers: Workers, options: Namespace, output: Output) -> int:
    """Print the figures of every mode on every set, or on the user's own questions."""
    if marking.wanted(options):
        return marking.run(workers, options, output)
    if options.mine:
        return _run_mine(workers, options, output)
    if not options.folders:
        raise UsageError("bad_request", "There is nothing to measure by.", "Name a folder, or use --mine.")
    folders = [Path(folder).expanduser().absolute() for folder in options.folders]
    run = Path(options.run).expanduser().absolute() if options.run else None
    reranker = _reranker(workers, options.reranker) if options.reranker else None
    events = retrieval.evaluate(
        Workers, folders, modes=options.mode or (), encoders=options.encoder or (), reranker=reranker, run=run
    )
    done = _followed(events, output)
    output.result({key: value for key, value in done.items() if key != "event"}, tables(done))
    return 0


def _reranker(workers: Workers, wanted: str) -> str:
    """The folder of an installed cross-encoder."""
    held = {row["id"]: row for row in workers.models.call("list", fits=False)["models"] if row["kind"] == "reranker"}
    if wanted not in held:
        known = ", ".join(held) or "none is installed"
        raise UsageError("bad_request", f"There is no cross-encoder “{wanted}” here.", f"Known: {known}.")
    return str(held[wanted]["path"])


def _run_mine(workers: Workers, options: Namespace, output: Output) -> int:
    if options.folders or options.reranker or options.run:
        raise UsageError("bad_request", "--mine takes no folder, no --reranker and no --run.")
    more = {"encoders": options.encoder} if options.encoder else {}
    events = workers.library.stream("measure", collection=options.collection, modes=options.mode or [], **more)
    done = _followed(events, output)
    lines = [line for each in done["sets"] for line in (*one_set(each), *weight_lines(each), "")]
    output.result({key: value for key, value in done.items() if key not in ("event", "id")}, lines)
    return 0


def run_scrubbing(workers: Workers, options: Namespace, output: Output) -> int:
    """Print what is found under each policy, and the differences to keeping everything."""
    if options.limit < 1:
        raise UsageError("bad_request", "At least one question is needed.")
    chosen = tuple(p for p in scrubbing.POLICIES if not options.policy or p in {"keep", *options.policy})
    events = scrubbing.evaluate(
        Workers,
        Path(options.file).expanduser().absolute(),
        limit=options.limit,
        policies=chosen,
        ask=_asked,
        answers=options.answers,
    )
    done = _followed(events, output)
    output.result({key: value for key, value in done.items() if key != "event"}, scrubbing.table(done))
    return 0


def _asked(workers: Workers, question: str) -> tuple[str, str]:
    """What the starter model, or the one set, answers from a library; and its name."""
    *_, done = answer(workers, question, choice=choose(workers))
    return str(done["answer"]), str(done["model"])


def _followed(events: Iterator[dict[str, Any]], output: Output) -> dict[str, Any]:
    """Show what happens on the way; the last event."""
    last: dict[str, Any] = {}
    for event in events:
        if event["event"] == "done":
            last = event
        elif event["event"] == "progress":
            moving = str(event["text"]).endswith(" %")
            output.progress(event, event["text"] if moving else f"{event['text']} …")
        else:
            output.progress(event, None)
    return last
