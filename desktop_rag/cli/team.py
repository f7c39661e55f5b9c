"""`desktop-rag collections --publish URL | --server URL | --unpublish`: a collection on a team's Chroma server."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from desktop_rag.cli import commands
from desktop_rag.cli.output import Output, counted
from desktop_rag.errors import UsageError
from desktop_rag.workers import team
from desktop_rag.workers.crew import Workers

_NONE = "none"


def add_options(what: Any, parser: ArgumentParser) -> None:
    """What `collections` takes for it; `what` holds the options of which only one can be given."""
    what.add_argument(
        "--publish",
        metavar="URL",
        help="bring the collection's vectors, and no text, to the Chroma server there, and let it be asked; again:"
        " only what changed",
    )
    what.add_argument("--unpublish", action="store_true", help="take the collection away from its server")
    what.add_argument(
        "--server",
        metavar="URL",
        help="for an imported collection: let the Chroma server be asked that its owner published it on; none: no more",
    )
    parser.add_argument(
        "--online", action="store_true", help="open the network for a server on another computer, this once"
    )


def collections(workers: Workers, options: Namespace, output: Output) -> int:
    """Publish, join, leave or take away, or what `collections` does otherwise."""
    wanted = options.publish or options.server or options.unpublish
    if not wanted:
        return commands.collections(workers, options, output)
    if not options.collection:
        raise UsageError("bad_request", "Which collection?", "Name it with --collection.")
    if options.publish:
        done = _publish(workers, options, output)
    elif options.unpublish:
        done = team.unpublish(workers, options.collection, online=options.online)
        told = "was taken away from its server" if done["deleted"] else "was not on its server any more"
        output.result(done, [f"“{done['collection']}” {told}."])
    elif options.server == _NONE:
        done = team.leave(workers, options.collection)
        output.result(done, [f"“{done['collection']}”: its server is asked no more."])
    else:
        done = team.join(workers, options.collection, options.server, online=options.online)
        told = f"{counted(done['passages'], 'passage')} there, {done['here']:,} of yours belong to them."
        output.result(done, [f"“{done['collection']}” on {done['server']}: {told}", *_warning(done)])
    return 0


def _publish(workers: Workers, options: Namespace, output: Output) -> dict[str, Any]:
    done: dict[str, Any] = {}
    for event in team.publish(workers, options.collection, options.publish, online=options.online):
        if event["event"] == "progress":
            output.progress(event, f"{event['step']} {event['share']} %")
        done = event
    done = {key: value for key, value in done.items() if key not in ("event", "id")}
    told = f"{counted(done['passages'], 'passage')} there, {done['sent']:,} sent, {done['deleted']:,} deleted."
    output.result(done, [f"“{done['collection']}” on {done['server']}: {told}", *_warning(done)])
    return done


def _warning(done: dict[str, Any]) -> list[str]:
    if done["encrypted"]:
        return []
    return ["The connection to it is not encrypted: others on the way can read ids and vectors, which hold meaning."]
