"""A team's collection between two processes: the library, which has it, and the network, which speaks with its server.

Names and vectors pass through here in batches. What a publication was in the middle of is found out by comparing names,
so that one that was killed goes on by being begun again.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, Protocol

from desktop_rag.answering.answer import Worker
from desktop_rag.errors import DesktopRagError, NetworkError, SearchError, UsageError
from desktop_rag.retrieval.chroma_dialect import address_of, is_this_machine
from desktop_rag.settings import Settings

_PAGE, _NAMES, _VECTORS = 4000, 500, 100
Event = dict[str, Any]
Counted = Generator[Event, None, int]


class Crew(Protocol):
    """The processes it takes."""

    @property
    def data_dir(self) -> Path:
        """Where the settings are."""
        ...

    @property
    def library(self) -> Worker:
        """Has the collection."""
        ...

    def network(self, purpose: str, *, opened: bool = False) -> Worker:
        """Speaks with servers for one purpose."""
        ...


def publish(workers: Crew, collection: str | int, url: str, *, online: bool = False) -> Iterator[Event]:
    """Bring a collection's vectors to a Chroma server, only what differs, and ask it from now on.

    Yields "progress" {step, share} events, then "done" {collection, server, passages, sent, deleted, encrypted}.
    Raises NetworkError, or UsageError for an imported collection.
    """
    address, facts = address_of(url), {}
    worker = _network(workers, address, online=online)
    for event in workers.library.stream("serving_begin", collection=collection):
        facts = event
        if event["event"] == "progress":
            yield event
    _check_publishable(facts, address)
    there = _there(facts, address)
    worker.call("begin", **there, policies=facts["policies"])
    # Known from now on: what a kill leaves there can be taken away too.
    workers.library.call("serving_use", collection=facts["collection"], server=address)
    sent = yield from _send(workers, worker, facts, there)
    deleted = yield from _clear(workers, worker, facts, there)
    held = worker.call("complete", **there)["passages"]
    yield {"event": "done", **_told(facts, address), "passages": held, "sent": sent, "deleted": deleted}


def _check_publishable(facts: Event, address: str) -> None:
    if not facts["passages"]:
        raise UsageError(
            "bad_request",
            f"“{facts['name']}” has no passages to publish.",
            "Add documents first, or take it away from its server with --unpublish.",
        )
    if facts["server"] not in (None, address):
        raise UsageError(
            "bad_request",
            f"“{facts['name']}” lies on the server {facts['server']}.",
            "First take it away from there with --unpublish.",
        )


def _send(workers: Crew, worker: Worker, facts: Event, there: Event) -> Counted:
    """Put there what is not; returns how many passages that were."""
    sent, done = 0, 0
    after: int | None = 0
    while after is not None:
        page = workers.library.call("serving_page", collection=facts["collection"], after=after, limit=_PAGE)
        for at in range(0, len(page["ids"]), _NAMES):
            part = page["ids"][at : at + _NAMES]
            held = set(worker.call("present", **there, ids=part)["ids"])
            missing = [name for name in part if name not in held]
            for begin in range(0, len(missing), _VECTORS):
                sent += _bring(workers, worker, facts, there, missing[begin : begin + _VECTORS])
                yield _progress("publishing", done + begin, facts["passages"])
            done += len(part)
            yield _progress("publishing", done, facts["passages"])
        after = page["after"]
    return sent


def _bring(workers: Crew, worker: Worker, facts: Event, there: Event, names: list[str]) -> int:
    """Put these there, but for what changed meanwhile; returns how many that were."""
    given = workers.library.call("serving_vectors", collection=facts["collection"], ids=names)
    if given["ids"]:
        vectors = {"ids": given["ids"], "vectors": given["vectors"]}
        worker.call("upsert", **there, **vectors, policies=facts["policies"])
    return len(given["ids"])


def _clear(workers: Crew, worker: Worker, facts: Event, there: Event) -> Counted:
    """Take away there what is not here any more; returns how many passages that were."""
    gone: list[str] = []
    offset = 0
    while ids := worker.call("ids", **there, offset=offset, limit=_NAMES)["ids"]:
        gone += workers.library.call("serving_unknown", collection=facts["collection"], ids=ids)["ids"]
        offset += len(ids)
        yield _progress("comparing", offset, max(offset, facts["passages"]))
    for at in range(0, len(gone), _NAMES):
        worker.call("delete", **there, ids=gone[at : at + _NAMES])
        yield _progress("deleting", at, len(gone))
    return len(gone)


def join(workers: Crew, collection: str | int, url: str, *, online: bool = False) -> Event:
    """Ask a server from now on that has the collection; {collection, server, passages, here, encrypted}.

    Raises SearchError where it does not have it, or has it by another encoder.
    """
    address = address_of(url)
    facts = workers.library.call("serving_facts", collection=collection, joining=True)
    held = _network(workers, address, online=online).call("describe", **_there(facts, address))
    if not held["held"]:
        raise SearchError(
            "corrupt",
            f"“{facts['name']}” is not on this server.",
            "Check the address; whoever made the collection publishes it with --publish.",
        )
    workers.library.call("serving_use", collection=facts["collection"], server=address)
    return {**_told(facts, address), "passages": held["passages"], "here": facts["passages"]}


def leave(workers: Crew, collection: str | int) -> Event:
    """Ask no server any more; {collection, server: null}. What lies there stays."""
    facts = workers.library.call("serving_facts", collection=collection)
    workers.library.call("serving_use", collection=facts["collection"], server=None)
    return {"collection": facts["name"], "server": None}


def unpublish(workers: Crew, collection: str | int, *, online: bool = False) -> Event:
    """Take the collection away from its server; {collection, server: null, deleted}.

    Raises UsageError for one that somebody else made.
    """
    facts = workers.library.call("serving_facts", collection=collection)
    address = facts["server"]
    if address is None:
        raise UsageError("bad_request", f"“{facts['name']}” is on no server.")
    if facts["imported"]:
        raise UsageError(
            "bad_request",
            "This collection was imported: only whoever made it takes it away from the server.",
            "To ask the server no more, use --server none.",
        )
    dropped = _network(workers, address, online=online).call("drop", server=address, called=facts["called"])
    workers.library.call("serving_use", collection=facts["collection"], server=None)
    return {"collection": facts["name"], "server": None, "deleted": dropped["held"]}


def compare(workers: Crew, *, online: bool = False) -> list[Event]:
    """What lies on the servers beside what should: {collection, server, here, there, parity, why}, one for each.

    `there` and `parity` are null where the server could not be asked, and `why` says for what reason.
    """
    told = []
    for row in workers.library.call("collections")["collections"]:
        if row["server"] is None:
            continue
        here: int | None = None
        try:
            facts = workers.library.call("serving_facts", collection=row["id"])
            here = facts["passages"]
            worker = _network(workers, row["server"], online=online)
            held = worker.call("describe", **_there(facts, row["server"]))
            found = {"there": held["passages"], "parity": held["complete"] and held["passages"] == here, "why": None}
        except DesktopRagError as error:
            found = {"there": None, "parity": None, "why": error.message}
        told.append({"collection": row["name"], "server": row["server"], "here": here, **found})
    return told


def nearest(
    workers: Crew,
    question: str,
    *,
    collection: str | int | None,
    conversation: str | None = None,
    mode: str | None = None,
    limit: int = 0,
    online: bool = False,
) -> list[Event]:
    """What the servers of the collections in question find, by collection; a note for each that does not answer.

    Raises what the library says of the question, nothing that a server or the network does.
    """
    where = {"collection": collection, "conversation": conversation, "mode": mode, "limit": limit}
    found = []
    for facts in workers.library.call("serving_question", question=question, **where)["asked"]:
        try:
            found.append(_asked(workers, facts, online=online))
        except DesktopRagError as error:
            found.append({"collection": facts["collection"], "note": _note(facts["name"], error.message)})
    return found


def _asked(workers: Crew, facts: Event, *, online: bool) -> Event:
    address = facts["server"]
    asked = {key: facts[key] for key in ("vector", "limit", "policies")}
    said = _network(workers, address, online=online).call("nearest", **_there(facts, address), **asked)
    if said["complete"]:
        return {"collection": facts["collection"], "ids": said["ids"]}
    cause = "Its publication there is not finished." if said["held"] else "It is not on its server any more."
    return {"collection": facts["collection"], "note": _note(facts["name"], cause)}


def _note(name: str, cause: str) -> str:
    return f"The server of “{name}” was not used, your own copy was searched: {cause}"


def _network(workers: Crew, address: str, *, online: bool) -> Worker:
    """The process that may speak with a server. Raises NetworkError("sealed") without starting one in vain."""
    if is_this_machine(address):
        return workers.network("local_index")
    if Settings(workers.data_dir)["sealed"] and not online:
        raise NetworkError(
            "sealed",
            "The application is sealed: nothing may leave this computer.",
            "Switch “Sealed” off in the settings, or add --online for this once.",
        )
    return workers.network("remote_index", opened=online)


def _there(facts: Event, address: str) -> Event:
    return {"server": address, "called": facts["called"], "encoder": facts["encoder"]}


def _told(facts: Event, address: str) -> Event:
    encrypted = address.startswith("https:") or is_this_machine(address)
    return {"collection": facts["name"], "server": address, "encrypted": encrypted}


def _progress(step: str, done: int, total: int) -> Event:
    return {"event": "progress", "step": step, "share": 100 * done // max(total, 1)}
