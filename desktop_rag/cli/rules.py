"""`rules`: the terms that are always replaced, and those that never are."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from desktop_rag.cli.output import Output
from desktop_rag.errors import UsageError
from desktop_rag.workers.crew import Workers


def add_commands(commands_: Any, add: Any) -> None:
    """The `rules` command; `add` makes a parser with the options every command has."""
    parser = add(commands_, "rules", rules, "List, add or forget terms that are always replaced, or never.")
    parser.add_argument("--collection", metavar="NAME", help="only this collection; without it, all of them")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--always", metavar="TERM", help="replace it wherever it stands, from now on")
    what.add_argument("--never", metavar="TERM", help="leave it as it is where it is found")
    what.add_argument("--forget", metavar="TERM", help="say nothing about it any more")
    parser.add_argument("--label", metavar="L", help="with --always: its class, such as PERSON (OWN_TERM)")


def rules(workers: Workers, options: Namespace, output: Output) -> int:
    """Change one rule if asked to, then list those that hold."""
    library, where = workers.library, options.collection
    if options.label and not options.always:
        raise UsageError("bad_request", "A class is named together with --always only.")
    if options.always is not None:
        library.call("rule_add", kind="always", term=options.always, label=options.label, collection=where)
    elif options.never is not None:
        library.call("rule_add", kind="never", term=options.never, collection=where)
    elif options.forget is not None:
        library.call("rule_forget", term=options.forget, collection=where)
    rows = library.call("rules", collection=where)["rules"]
    lines = [_line(row) for row in rows]
    if options.always is not None or options.never is not None:
        lines.append("This holds for documents that are read from now on, for those under review, and for questions.")
    output.result({"rules": [_shown(row) for row in rows]}, lines or ["There are no rules yet."])
    return 0


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {key: row[key] for key in ("kind", "term", "label", "collection")}


def _line(row: dict[str, Any]) -> str:
    label = f"  [{row['label']}]" if row["kind"] == "always" else ""
    return f"{row['kind']:<6}  {row['term']}{label}  ({row['collection'] or 'all collections'})"
