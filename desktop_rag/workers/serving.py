"""A collection on a team's server, as the `library` role sees it: what may go there, and what is found there.

The library itself never speaks with the server. It hands out names that say nothing and vectors of scrubbed passages,
and takes back names.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import numpy as np

from desktop_rag.errors import DesktopRagError, NetworkError, SearchError, UsageError
from desktop_rag.retrieval.chroma_dialect import address_of
from desktop_rag.retrieval.encode import Vectors
from desktop_rag.retrieval.search import CANDIDATES
from desktop_rag.store import served
from desktop_rag.store.export_rows import connect
from desktop_rag.store.exporting import digest, identity
from desktop_rag.workers.exchanging import names_elsewhere
from desktop_rag.workers.library import Library
from desktop_rag.workers.loop import Handler, Operation, Request
from desktop_rag.workers.questions import scrubbed
from desktop_rag.workers.unlocking import Gate

BACKGROUND = frozenset({"serving_begin"})
_READY = ("ready", "partly_read")
# A graph finds not quite the nearest: twice as many are asked for.
_TIMES = 2
_DOCUMENTS_A_STEP = 8
_BY_WORDS = ("bm25", "tfidf")


class ServingOperations:
    """One method per operation; the method's name is the operation's, after "serving_"."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    @property
    def _library(self) -> Library:
        return self._gate.library

    @property
    def handlers(self) -> dict[str, Handler]:
        """The operations by name."""
        names = ("begin", "facts", "page", "vectors", "unknown", "use", "question")
        return {f"serving_{name}": getattr(self, name) for name in names}

    def begin(self, request: Request) -> Operation:
        """{collection} -> facts: name the documents as they are now, those that are to be on the server."""
        return begin(self._library, self._collection(request))

    def facts(self, request: Request) -> Operation:
        """{collection} -> facts."""
        collection = self._collection(request)
        yield None
        if request.args.get("joining") and served.is_imported(self._library.db, collection):
            served.name_imported(self._library.db, collection)
        return facts(self._library, collection)

    def page(self, request: Request) -> Operation:
        """{collection, after, limit} -> {ids, after}: some of the names that are to be there; see `served.page`."""
        args = request.args
        yield None
        ids, after = served.page(self._library.db, int(args["collection"]), int(args["after"]), int(args["limit"]))
        return {"ids": ids, "after": after}

    def vectors(self, request: Request) -> Operation:
        """{collection, ids} -> {ids, vectors}: of those that still are to be there."""
        collection = self._collection(request)
        yield None
        check_sendable(self._library, collection)
        held = served.vectors(self._library.db, collection, list(map(str, request.args["ids"])))
        return {"ids": list(held), "vectors": [base64.b64encode(raw).decode("ascii") for raw in held.values()]}

    def unknown(self, request: Request) -> Operation:
        """{collection, ids} -> {ids}: those that are not to be there."""
        ids = list(map(str, request.args["ids"]))
        yield None
        held = served.vectors(self._library.db, int(request.args["collection"]), ids)
        return {"ids": [name for name in ids if name not in held]}

    def use(self, request: Request) -> Operation:
        """{collection, server}: ask this server from now on, or none (null)."""
        collection, server = self._collection(request), request.args.get("server")
        yield None
        served.set_server(self._library.db, collection, None if server is None else address_of(str(server)))
        return {}

    def question(self, request: Request) -> Operation:
        """{question, collection?, conversation?, mode?, limit?} -> {asked}: what to ask which server, see `asked`."""
        yield None
        return {"asked": asked(self._library, request.args)}

    def _collection(self, request: Request) -> int:
        return int(self._library.collections.need(request.args["collection"])["id"])


def check_sendable(library: Library, collection: int) -> None:
    """Raise NetworkError("sealed") for a collection in which personal data was kept."""
    if not library.private(collection):
        raise NetworkError(
            "sealed",
            "A collection that keeps its personal data is never sent anywhere.",
            "Add its documents to a collection that is cleaned, and publish that.",
        )


def begin(library: Library, collection: int) -> Operation:
    """Name all documents of a collection by their digests; what is not indexed is not to be there.

    Raises UsageError for a collection that somebody else made, NetworkError("sealed") for one that may not go.
    """
    check_sendable(library, collection)
    if served.is_imported(library.db, collection):
        raise UsageError(
            "bad_request",
            "This collection was imported: only whoever made it publishes it.",
            "To ask their server, use --server with its address.",
        )
    identity(library.db, collection)
    rows = library.documents.rows(collection)
    ready = [row for row in rows if row["state"] in _READY and row["encoded"]]
    names = yield from names_elsewhere(library, collection, ready)
    digests: dict[str, str | None] = dict.fromkeys(row["id"] for row in rows)
    with closing(connect(library.data_dir / "library.db", library.key.raw)) as source:
        for done, document in enumerate(names):
            digests[document] = digest(source, document, names[document])
            if done % _DOCUMENTS_A_STEP == 0:
                yield {"event": "progress", "step": "naming", "share": 100 * done // len(names)}
    served.name_documents(library.db, digests)
    return facts(library, collection)


def facts(library: Library, collection: int) -> dict[str, Any]:
    """{collection: id, name, server, called, encoder, imported, passages, policies}: all that is to be known outside.

    Raises SearchError("fingerprint_changed") while the encoder is not installed or being changed.
    """
    row = library.collections.need(collection)
    state = library.collections.encoders(collection)
    if state.next is not None:
        raise SearchError(
            "fingerprint_changed", f"“{row['name']}” is changing its encoder.", "Try again when all of it is encoded."
        )
    library.check_encoder(collection)
    return {
        "collection": collection,
        "name": row["name"],
        "server": served.server(library.db, collection),
        "called": served.name_there(identity(library.db, collection)),
        "encoder": None if state.in_use is None else state.in_use.fingerprint,
        "imported": served.is_imported(library.db, collection),
        "passages": served.passages(library.db, collection),
        "policies": sorted({row["policy"], *library.documents.policies([collection])}),
    }


def asked(library: Library, args: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What to ask which server for a question: the facts of each collection that has one, {vector, limit}.

    The vector is that of the question as it is stored: of a name that nobody knows here only its class.
    """
    if (args.get("mode") or library.settings["search"]) in _BY_WORDS:
        return []
    chosen = library.chosen(_asked_in(library, args))
    with_server = [one for one in chosen if served.server(library.db, one) is not None]
    found, made = [], dict[str, str]()
    for collection in with_server if str(args["question"]).strip() else []:
        try:
            told, encoder = facts(library, collection), library.encoder_for(collection)
        except DesktopRagError:
            # The search itself tells of it, or does without.
            continue
        if encoder.card.fingerprint not in made:
            text = scrubbed(library, str(args["question"]), chosen)
            made[encoder.card.fingerprint] = _written(encoder.encode_all([text], query=True)[0])
        limit = _TIMES * max(int(args.get("limit") or 0), CANDIDATES)
        found.append({**told, "vector": made[encoder.card.fingerprint], "limit": limit})
    return found


def _asked_in(library: Library, args: Mapping[str, Any]) -> str | int | None:
    """The collection of a question; a follow-up stays in the one its conversation began in."""
    collection: str | int | None = args.get("collection")
    if collection is None and args.get("conversation"):
        collection = library.conversations.one(str(args["conversation"]))["collection_id"]
    return collection


def _written(vector: Vectors) -> str:
    return base64.b64encode(np.asarray(vector, dtype=np.float16).tobytes()).decode("ascii")
