"""What teams' servers found, as passages of this library: names become ids, and what is to be told of it is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from desktop_rag.store import served
from desktop_rag.workers.library import Library

# So many passages that are not on the server are compared beside what it finds.
_MOST_NOT_SENT = 4000


def taken(library: Library, near: Sequence[Mapping[str, Any]]) -> tuple[dict[int, list[int]], list[str]]:
    """By collection the passages that its server found, with those that are not there; and what is to be said of it.

    `near` has for each collection that was asked for {collection, ids}, or {collection, note} where that failed.
    """
    found: dict[int, list[int]] = {}
    notes: list[str] = []
    for each in near:
        collection = int(each["collection"])
        if each.get("note"):
            notes.append(str(each["note"]))
            continue
        ids = list(map(str, each["ids"]))
        name = library.collections.need(collection)["name"]
        known = served.chunks(library.db, collection, ids)
        more = served.not_sent(library.db, collection, _MOST_NOT_SENT + 1)
        if not known:
            notes.append(f"The server found nothing of “{name}” that is here: what is here was searched.")
        elif len(more) > _MOST_NOT_SENT:
            notes.append(f"Too much of “{name}” is not on its server yet: what is here was searched.")
        else:
            found[collection] = [*known.values(), *more]
        if unknown := len(set(ids)) - len(known):
            notes.append(_unknown(library, collection, name, unknown))
    return found, notes


def _unknown(library: Library, collection: int, name: str, number: int) -> str:
    told = "1 passage is" if number == 1 else f"{number:,} passages are"
    if served.is_imported(library.db, collection):
        return f"{told} on the server and not in your copy of “{name}”: import the newer export."
    return f"{told} on the server and not in “{name}” any more: publish it again."
