"""A team's collection on a Chroma server, as the `network` role speaks with it: ids and vectors, nothing else.

Each operation names the {server} and what the collection is {called} there. Vectors come as float16 in base64.
"""

from __future__ import annotations

import base64
import struct
import time
from collections.abc import Mapping, Sequence
from typing import Any

from desktop_rag.engines import openai_errors
from desktop_rag.engines.cancel import Cancellation
from desktop_rag.engines.openai_dialect import host_of
from desktop_rag.engines.openai_engine import Call, Exchange, Patience, Refused
from desktop_rag.errors import Cancelled, EngineError, NetworkError, SearchError
from desktop_rag.privacy.seal import CONNECTION
from desktop_rag.retrieval import chroma_dialect as dialect
from desktop_rag.workers.loop import Handler, Operation, Request
from desktop_rag.workers.network_seal import NetworkSeal, check_policies
from desktop_rag.workers.remote_key import read_key

NEAREST_SECONDS = 2.0
"""So long a question waits for a server."""
_PATIENCE = Patience(connect=5.0, silence=60.0)
# Float16 has three digits and a half.
_DIGITS = 6


class RemoteIndex:
    """One method per operation; the method's name is the operation's."""

    def __init__(self, seal: NetworkSeal, exchange: Exchange) -> None:
        self._seal = seal
        self._exchange = exchange
        self._keys: dict[str, str | None] = {}

    @property
    def handlers(self) -> dict[str, Handler]:
        """The operations by name."""
        names = ("describe", "begin", "complete", "ids", "present", "upsert", "delete", "drop", "nearest")
        return {name: getattr(self, name) for name in names}

    def describe(self, request: Request) -> Operation:
        """{encoder} -> {held, complete, passages}: what there is. Raises SearchError for another encoder's vectors."""
        there = self._there(request)
        yield None
        held = there.collection(str(request.args["encoder"]))
        if held is None:
            return {"held": False, "complete": False, "passages": 0}
        return {"held": True, "complete": held.complete, "passages": there.count(held)}

    def begin(self, request: Request) -> Operation:
        """{encoder, policies} -> {passages}: from now on nobody asks it, until it is said to be complete."""
        there = self._cleaned(request)
        yield None
        encoder = str(request.args["encoder"])
        held = there.collection(encoder)
        if held is None:
            held = there.create(encoder)
        elif held.complete:
            there.tell(held, encoder, complete=False)
        return {"passages": there.count(held)}

    def complete(self, request: Request) -> Operation:
        """{encoder} -> {passages}: all of it is there."""
        there = self._there(request)
        yield None
        held = there.need(str(request.args["encoder"]))
        there.tell(held, str(request.args["encoder"]), complete=True)
        return {"passages": there.count(held)}

    def ids(self, request: Request) -> Operation:
        """{encoder, offset, limit} -> {ids}: some of those that are there."""
        there = self._there(request)
        yield None
        body = {"offset": int(request.args["offset"]), "limit": int(request.args["limit"]), "include": []}
        return {"ids": dialect.ids_in(there.post(there.need(str(request.args["encoder"])), "get", body))}

    def present(self, request: Request) -> Operation:
        """{encoder, ids} -> {ids}: those of them that are there."""
        there = self._there(request)
        yield None
        body = {"ids": list(request.args["ids"]), "include": []}
        return {"ids": dialect.ids_in(there.post(there.need(str(request.args["encoder"])), "get", body))}

    def upsert(self, request: Request) -> Operation:
        """{encoder, ids, vectors, policies}: put them there."""
        there = self._cleaned(request)
        yield None
        vectors = [_numbers(vector) for vector in request.args["vectors"]]
        body = dialect.upserting(list(map(str, request.args["ids"])), vectors)
        there.post(there.need(str(request.args["encoder"])), "upsert", body)
        return {}

    def delete(self, request: Request) -> Operation:
        """{encoder, ids}: take them away there."""
        there = self._there(request)
        yield None
        there.post(there.need(str(request.args["encoder"])), "delete", {"ids": list(map(str, request.args["ids"]))})
        return {}

    def drop(self, request: Request) -> Operation:
        """-> {held}: take the whole collection away there; whether there was one."""
        there = self._there(request)
        yield None
        return {"held": there.drop()}

    def nearest(self, request: Request) -> Operation:
        """{encoder, vector, limit, policies} -> {held, complete, ids}, within two seconds."""
        there = self._cleaned(request, _Deadline(request.cancelled, NEAREST_SECONDS))
        yield None
        held = there.collection(str(request.args["encoder"]))
        if held is None or not held.complete:
            return {"held": held is not None, "complete": False, "ids": []}
        body = dialect.asking(_numbers(request.args["vector"]), int(request.args["limit"]))
        return {"held": True, "complete": True, "ids": dialect.ids_in(there.post(held, "query", body))}

    def _cleaned(self, request: Request, cancelled: Cancellation | None = None) -> _Server:
        """The server, for what comes from documents. Raises NetworkError("sealed") where they were not cleaned."""
        try:
            check_policies(request.args)
        except NetworkError:
            self._seal.log.refused(CONNECTION, "its text was not cleaned", host_of(str(request.args["server"])))
            raise
        return self._there(request, cancelled)

    def _there(self, request: Request, cancelled: Cancellation | None = None) -> _Server:
        self._seal.check()
        address = self._seal.checked(dialect.address_of(str(request.args["server"])))
        if address not in self._keys:
            self._keys[address] = read_key(address, None)
        called = str(request.args["called"])
        return _Server(self._exchange, address, called, self._keys[address], cancelled or request.cancelled)


class _Server:
    """One collection on one server."""

    def __init__(self, exchange: Exchange, address: str, called: str, key: str | None, cancelled: Cancellation) -> None:
        self._exchange, self._cancelled = exchange, cancelled
        self._address, self._called, self._key = address, called, key
        self._host = host_of(address)

    def collection(self, encoder: str) -> dialect.Held | None:
        """What is there, if its vectors can be compared with ours; None where there is none."""
        said = self._said(Call(dialect.collection_url(self._address, self._called), self._key))
        if isinstance(said, Refused) and said.status == 404:
            return None
        held = dialect.held_in(self._whole(said))
        if (held.format, held.encoder) != (dialect.FORMAT, encoder):
            newer = held.format is not None and held.format > dialect.FORMAT
            raise SearchError(
                "fingerprint_changed",
                f"The collection on {self._host} was "
                + ("put there by a newer version." if newer else "encoded with another encoder than yours."),
                "Update the application."
                if newer
                else "Import the newer export; who published it can take it away (--unpublish) and publish it anew.",
            )
        return held

    def need(self, encoder: str) -> dialect.Held:
        """Like `collection`. Raises SearchError("corrupt") where there is none."""
        held = self.collection(encoder)
        if held is None:
            raise SearchError(
                "corrupt", f"The collection is not on {self._host} any more.", "Whoever made it publishes it anew."
            )
        return held

    def create(self, encoder: str) -> dialect.Held:
        """An empty collection."""
        body = dialect.creation(self._called, encoder)
        return dialect.held_in(self._whole(self._said(Call(dialect.collections_url(self._address), self._key, body))))

    def tell(self, held: dialect.Held, encoder: str, *, complete: bool) -> None:
        """Say there whether it may be asked."""
        body = {"new_metadata": dialect.metadata(encoder, complete=complete)}
        url = dialect.collection_url(self._address, held.id)
        self._whole(self._said(Call(url, self._key, body, method="PUT")))

    def count(self, held: dialect.Held) -> int:
        """How many passages are there."""
        url = dialect.collection_url(self._address, held.id, "count")
        return dialect.count_in(self._whole(self._said(Call(url, self._key))))

    def post(self, held: dialect.Held, what: str, body: Mapping[str, Any]) -> bytes:
        """Do something with the collection."""
        return self._whole(
            self._said(Call(dialect.collection_url(self._address, held.id, what), self._key, dict(body)))
        )

    def drop(self) -> bool:
        """Take it away; whether there was one."""
        said = self._said(Call(dialect.collection_url(self._address, self._called), self._key, method="DELETE"))
        if isinstance(said, Refused) and said.status == 404:
            return False
        self._whole(said)
        return True

    def _said(self, call: Call) -> bytes | Refused:
        try:
            for said in self._exchange(call, _PATIENCE, self._cancelled):
                if isinstance(said, bytes | Refused):
                    return said
        except EngineError as error:
            # The words for a server that speaks otherwise are those for a model's.
            raise (dialect.no_chroma() if error.code == "protocol_mismatch" else error) from None
        if isinstance(self._cancelled, _Deadline) and self._cancelled.late:
            raise openai_errors.hung(self._host, NEAREST_SECONDS)
        raise Cancelled

    def _whole(self, said: bytes | Refused) -> bytes:
        if isinstance(said, bytes):
            return said
        if said.status in (401, 403, 429) or said.status >= 500:
            raise openai_errors.of_status(said.status, self._host, b"", model="", keyed=self._key is not None)
        raise dialect.no_chroma()


class _Deadline(Cancellation):
    """Set when the request's own is, or when its time is over."""

    def __init__(self, request: Cancellation, seconds: float) -> None:
        super().__init__()
        self._request, self._end = request, time.monotonic() + seconds

    @property
    def late(self) -> bool:
        """Whether it was the time."""
        return time.monotonic() >= self._end

    def is_set(self) -> bool:
        """See Cancellation."""
        return self._request.is_set() or self.late


def _numbers(vector: str) -> Sequence[float]:
    raw = base64.b64decode(vector)
    return [round(number, _DIGITS) for number in struct.unpack(f"<{len(raw) // 2}e", raw)]
