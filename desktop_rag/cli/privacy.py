"""`desktop-rag privacy`: the leak audit and the self-test, each as a result and as a page to keep."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from desktop_rag.cli import seal
from desktop_rag.cli.output import Output
from desktop_rag.errors import UsageError
from desktop_rag.evaluation import selftest, selftest_page
from desktop_rag.privacy import audit
from desktop_rag.privacy.audit_page import audit_page
from desktop_rag.store.files import write_private
from desktop_rag.workers.crew import Workers

# The same as for a removal that could not be verified.
NOT_PROVED = 1


def add_commands(subparsers: Any, add: Callable[[Any, str, Any, str], ArgumentParser]) -> None:
    """Put `privacy` with its kinds beside the other commands."""
    parser = subparsers.add_parser(
        "privacy", help="Prove that nothing private gets out.", description="Prove that nothing private gets out."
    )
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True, parser_class=type(parser))
    auditing = add(
        kinds,
        "audit",
        run_audit,
        "Look for every replaced value in every file the application has written, and in the cleaned texts."
        " Leaves with 0 if nothing was found and all could be looked into, else with 1.",
    )
    auditing.add_argument("--collection", metavar="NAME", help="only the values of this collection")
    testing = add(
        kinds,
        "selftest",
        run_selftest,
        "Plant invented personal data in documents of seven languages: how much of it is found, and does any of it"
        " reach the disk? Leaves with 0 if none does, else with 1.",
    )
    testing.add_argument("--collection", metavar="NAME", help="search the disk under this collection's policy only")
    for command in (auditing, testing):
        command.add_argument("--report", metavar="FILE", help="save the result as a page (HTML) to keep or print")
    seal.add_commands(kinds, add)


def run_audit(workers: Workers, options: Namespace, output: Output) -> int:
    """Print where replaced values were found; 0 if nowhere."""
    found = _followed(workers.library.stream("audit", collection=options.collection), output)
    _save(options.report, lambda: audit_page(found, time.strftime("%Y-%m-%d %H:%M")))
    output.result(found, audit.lines(found))
    return 0 if found["clean"] else NOT_PROVED


def run_selftest(workers: Workers, options: Namespace, output: Output) -> int:
    """Print how much planted data was found; 0 if none of it reached the disk."""
    policies: tuple[str, ...] = selftest.POLICIES
    if options.collection is not None:
        rows = workers.library.call("collections")["collections"]
        row = next((row for row in rows if row["name"] == options.collection), None)
        if row is None:
            raise UsageError("bad_request", f"There is no collection “{options.collection}”.", "See: collections")
        policies = tuple(policy for policy in policies if policy == row["policy"])
    result = _followed(selftest.selftest(workers, Workers, policies), output)
    _save(options.report, lambda: selftest_page.selftest_page(result))
    output.result(result, selftest_page.lines(result))
    return 0 if result["passed"] else NOT_PROVED


def _followed(events: Iterator[dict[str, Any]], output: Output) -> dict[str, Any]:
    """Show how far it is; the result."""
    found: dict[str, Any] = {}
    for event in events:
        if event["event"] == "progress":
            output.progress(event, str(event["text"]))
        elif event["event"] == "done":
            found = {key: value for key, value in event.items() if key not in ("event", "id")}
    return found


def _save(name: str | None, make: Callable[[], str]) -> None:
    if name is not None:
        write_private(Path(name).expanduser().absolute(), make().encode("utf-8", "replace"))
