"""`desktop-rag collections --export FILE | --import FILE`: one collection in one file, behind a passphrase."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from desktop_rag.cli import team
from desktop_rag.cli.key import from_file, new_passphrase, one_passphrase
from desktop_rag.cli.output import Output, counted
from desktop_rag.errors import UsageError
from desktop_rag.workers.crew import Workers


def add_options(parser: ArgumentParser) -> None:
    """What `collections` takes beside its own options."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--export", metavar="FILE", help="write the collection into one file behind a passphrase")
    what.add_argument("--import", metavar="FILE", dest="import_", help="bring an exported collection into this library")
    team.add_options(what, parser)
    parser.add_argument("--passphrase-file", metavar="F", help="has the passphrase of that file; else it is asked for")
    parser.add_argument(
        "--with-originals", action="store_true", help="with --export: with the vault, so that values can be turned back"
    )


def collections(workers: Workers, options: Namespace, output: Output) -> int:
    """Export, import, what concerns a team's server, or what `collections` does otherwise."""
    if options.with_originals and not options.export:
        raise UsageError("bad_request", "--with-originals goes with --export.", "See: collections --help")
    if options.export:
        return _export(workers, options, output)
    if options.import_:
        return _import(workers, options, output)
    return team.collections(workers, options, output)


def _export(workers: Workers, options: Namespace, output: Output) -> int:
    if not options.collection:
        raise UsageError("bad_request", "Which collection?", "Name it with --collection.")
    done = _followed(
        workers.library.stream(
            "collection_export",
            collection=options.collection,
            file=_path(options.export),
            passphrase=new_passphrase(options.passphrase_file, "Passphrase for the export: "),
            originals=options.with_originals,
        ),
        output,
    )
    told = (counted(done["documents"], "document"), counted(done["passages"], "passage"))
    lines = [f"{done['file']}: {', '.join(told)}, {done['bytes'] / 1e6:,.1f} MB, written and verified."]
    if done["left_out"]:
        lines.append(f"{counted(done['left_out'], 'document')} left out: not indexed.")
    if done["originals"]:
        lines.append("It holds the real values: whoever knows its passphrase can turn them back.")
    if done["kept"]:
        lines.append(f"{counted(done['kept'], 'document')} in it kept personal data in clear.")
    output.result(done, lines)
    return 0


def _import(workers: Workers, options: Namespace, output: Output) -> int:
    file = options.passphrase_file
    given = from_file(file) if file else one_passphrase("Passphrase of the export: ")
    done = _followed(workers.library.stream("collection_import", file=_path(options.import_), passphrase=given), output)
    changes = [f"{done[name]:,} {name}" for name in ("added", "unchanged", "removed")]
    lines = [f"“{done['collection']}”: {', '.join(changes)}."]
    if done["encoded_anew"]:
        lines.append(f"{counted(done['encoded_anew'], 'document')} encoded anew: their encoder is not installed here.")
    shown = ("collection", "added", "unchanged", "removed", "documents", "encoded_anew")
    output.result({name: done[name] for name in shown}, lines)
    return 0


def _path(given: str) -> str:
    return str(Path(given).expanduser().absolute())


def _followed(events: Iterator[dict[str, Any]], output: Output) -> dict[str, Any]:
    done: dict[str, Any] = {}
    for event in events:
        if event["event"] == "progress" and "share" in event:
            output.progress(event, f"{event['step']} {event['share']} %")
        elif event["event"] == "document":
            output.progress({key: event.get(key) for key in ("event", "document", "state")}, None)
        done = event
    return {key: value for key, value in done.items() if key not in ("event", "id")}
