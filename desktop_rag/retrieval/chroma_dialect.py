"""What a Chroma server is asked over HTTP (its interface v2) and how its answers read, without any network.

It gets ids and vectors, and as metadata what tells whether they can be used: never a text or a name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from desktop_rag.errors import EngineError, UsageError

FORMAT = 1
"""The version of what is put there."""
_COLLECTIONS = "/api/v2/tenants/default_tenant/databases/default_database/collections"
# Addresses, not names: a name could lead anywhere.
_THIS_MACHINE = ("127.0.0.1", "::1")
_CHARACTERS = 200
# Chroma's own 100, 16 and 100 found seven of the ten nearest of ten thousand; these cost a server little.
_GRAPH = {"ef_construction": 200, "max_neighbors": 32, "ef_search": 500}
Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """A collection on a server: its id there, and what it says of its vectors."""

    id: str
    format: int | None
    encoder: str | None
    complete: bool


def address_of(url: str) -> str:
    """The address as it is kept and asked, without what the server adds by itself. Raises UsageError("bad_request")."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or parts.username:
        raise UsageError(
            "bad_request",
            "This is not the address of a Chroma server.",
            "Write it like http://192.168.1.5:8000 (a key belongs into the system's keyring).",
        )
    shown = _THIS_MACHINE[0] if host == "localhost" else f"[{host}]" if ":" in host else host
    path = parts.path.rstrip("/").removesuffix("/api/v2")
    return urlunsplit((parts.scheme, f"{shown}:{port}" if port else shown, path, "", ""))


def is_this_machine(address: str) -> bool:
    """Whether the address leads to this very computer."""
    return urlsplit(address).hostname in _THIS_MACHINE


def collections_url(address: str) -> str:
    """Where collections are made."""
    return f"{address}{_COLLECTIONS}"


def collection_url(address: str, collection: str, what: str = "") -> str:
    """Where a collection lies, by its name or its id, or what can be done with it there."""
    return f"{address}{_COLLECTIONS}/{quote(collection, safe='')}" + (f"/{what}" if what else "")


def metadata(encoder: str, *, complete: bool) -> Body:
    """What is told there: by what vectors can be compared, and whether all of them are there."""
    return {"desktop_rag": FORMAT, "encoder": encoder, "complete": complete}


def creation(name: str, encoder: str) -> Body:
    """A collection that is still to be filled."""
    return {
        "name": name,
        "get_or_create": False,
        "metadata": metadata(encoder, complete=False),
        "configuration": {"hnsw": {"space": "cosine", **_GRAPH}},
    }


def held_in(data: bytes) -> Held:
    """A collection as the server tells of it. Raises EngineError("protocol_mismatch")."""
    row = _mapping(data)
    told = row.get("metadata")
    facts: Mapping[str, Any] = told if isinstance(told, dict) else {}
    version, encoder = facts.get("desktop_rag"), facts.get("encoder")
    if not isinstance(row.get("id"), str):
        raise no_chroma()
    return Held(
        row["id"],
        version if type(version) is int else None,
        encoder if isinstance(encoder, str) else None,
        facts.get("complete") is True,
    )


def ids_in(data: bytes) -> list[str]:
    """The ids of an answer to "get", or of the one question of an answer to "query"."""
    ids = _mapping(data).get("ids")
    if isinstance(ids, list) and len(ids) == 1 and isinstance(ids[0], list):
        ids = ids[0]
    if not isinstance(ids, list) or not all(map(_is_id, ids)):
        raise no_chroma()
    return ids


def count_in(data: bytes) -> int:
    """A number that is the whole answer."""
    try:
        number = json.loads(data)
    except (ValueError, RecursionError):
        raise no_chroma() from None
    if type(number) is not int:
        raise no_chroma()
    return number


def upserting(ids: Sequence[str], vectors: Sequence[Sequence[float]]) -> Body:
    """Put these in, in place of what has the same ids."""
    return {"ids": list(ids), "embeddings": [list(vector) for vector in vectors]}


def asking(vector: Sequence[float], limit: int) -> Body:
    """The ids nearest to a vector."""
    return {"query_embeddings": [list(vector)], "n_results": limit, "include": []}


def no_chroma() -> EngineError:
    """The address answers, but not in this language."""
    return EngineError(
        "protocol_mismatch",
        "Something answers at this address, but it is no Chroma server of a version that is known here.",
        "Check the address; a server is started with: chroma run",
    )


def _is_id(one: object) -> bool:
    """Whether it can be one of ours: what is no plain text could not even be sent back."""
    return isinstance(one, str) and one.isascii() and len(one) < _CHARACTERS


def _mapping(data: bytes) -> Mapping[str, Any]:
    try:
        row = json.loads(data)
    except (ValueError, RecursionError):
        raise no_chroma() from None
    if not isinstance(row, dict):
        raise no_chroma()
    return row
