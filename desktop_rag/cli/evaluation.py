"""`desktop-rag eval`: measurements of quality. A thin face over `desktop_rag.evaluation`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from desktop_rag.cli.output import Output
from desktop_rag.evaluation import pii
from desktop_rag.evaluation.parsing import evaluate, table
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
