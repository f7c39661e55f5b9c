"""`rules`: the terms that are always replaced, those that never are, and how whole classes are treated."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from desktop_rag.cli.commands import again_lines
from desktop_rag.cli.output import Output
from desktop_rag.errors import UsageError
from desktop_rag.privacy.classes import REPLACE
from desktop_rag.workers.client import WorkerClient
from desktop_rag.workers.crew import Workers

_HOLDS = "This holds for documents that are read from now on, for those under review, and for questions."
_ALWAYS_HOLDS = "This holds for all documents, those that are indexed already among them, and for questions."
_READABLE = "What is found of it and left stays readable: in the index, in answers, and for the model that answers."


def add_commands(commands_: Any, add: Any) -> None:
    """The `rules` command; `add` makes a parser with the options every command has."""
    about = "List, add or forget terms that are always replaced, or never; treat whole classes otherwise than usual."
    parser = add(commands_, "rules", rules, about)
    parser.add_argument("--collection", metavar="NAME", help="only this collection; without it, all of them")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--always", metavar="TERM", help="replace it wherever it stands, from now on")
    what.add_argument("--never", metavar="TERM", help="leave it as it is where it is found")
    what.add_argument("--forget", metavar="TERM", help="say nothing about it any more")
    what.add_argument(
        "--class",
        dest="treated",
        nargs=2,
        metavar=("CLASS", "WHAT"),
        help="what happens to all that is found of a class, such as LOCATION: replace, leave or default",
    )
    parser.add_argument("--label", metavar="L", help="with --always: its class, such as PERSON (OWN_TERM)")
    parser.add_argument(
        "--threshold", type=float, metavar="S", help="with --class C replace: only from this score on, such as 0.8"
    )


def rules(workers: Workers, options: Namespace, output: Output) -> int:
    """Change one rule if asked to, then list those that hold."""
    library, where = workers.library, options.collection
    _change(library, options)
    answer = library.call("rules", collection=where)
    rows, treatments = answer["rules"], answer["treatments"]
    lines = [_line(row) for row in rows] + [_class_line(row) for row in treatments]
    if options.never is not None or options.treated:
        lines.append(_HOLDS)
    if options.treated and any(_bares(row, options.treated[0]) for row in answer["classes"]):
        lines.append(_READABLE)
    told: dict[str, Any] = {"rules": [_shown(row) for row in rows]}
    told["treatments"] = [_shown_class(row) for row in treatments]
    if options.always is not None:
        told["cleaned_again"] = library.call("clean_again")["cleaned_again"]
        lines += [_ALWAYS_HOLDS, *again_lines(told["cleaned_again"])]
    told["classes"] = [_shown_class(row) for row in answer["classes"]]
    output.result(told, lines or ["There are no rules yet."])
    return 0


def _change(library: WorkerClient, options: Namespace) -> None:
    where = options.collection
    if options.label and not options.always:
        raise UsageError("bad_request", "A class is named together with --always only.")
    if options.threshold is not None and not options.treated:
        raise UsageError("bad_request", "A score is named together with --class only.", "--class PERSON replace")
    if options.always is not None:
        library.call("rule_add", kind="always", term=options.always, label=options.label, collection=where)
    elif options.never is not None:
        library.call("rule_add", kind="never", term=options.never, collection=where)
    elif options.forget is not None:
        library.call("rule_forget", term=options.forget, collection=where)
    elif options.treated:
        label, treatment = options.treated
        library.call("rule_class", label=label, treatment=treatment, threshold=options.threshold, collection=where)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {key: row[key] for key in ("kind", "term", "label", "collection")}


def _shown_class(row: dict[str, Any]) -> dict[str, Any]:
    shown = {"class": row["label"]} | {key: row[key] for key in ("name", "treatment", "threshold")}
    return shown | {key: row[key] for key in ("collection", "default") if key in row}


def _bares(row: dict[str, Any], label: str) -> bool:
    """Whether this class is the one that was named, and is not wholly replaced though it usually is."""
    named = row["label"] == "_".join(label.upper().split())
    return named and row["default"] == REPLACE and (row["treatment"], row["threshold"]) != (REPLACE, None)


def _class_line(row: dict[str, Any]) -> str:
    sure = f" from a score of {row['threshold']:g} on" if row["threshold"] else ""
    return f"{row['treatment']:<7} {row['label']}{sure}  ({row['collection'] or 'all collections'})"


def _line(row: dict[str, Any]) -> str:
    label = f"  [{row['label']}]" if row["kind"] == "always" else ""
    return f"{row['kind']:<6}  {row['term']}{label}  ({row['collection'] or 'all collections'})"
