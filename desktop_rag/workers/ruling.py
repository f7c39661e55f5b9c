"""The rules as window and terminal ask for them: terms that are replaced always, or never, in one collection or all."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from desktop_rag.errors import StoreError
from desktop_rag.workers.library import Library


def listed(library: Library, collection: str | int | None) -> dict[str, Any]:
    """Every rule, or those that hold in a collection, those for all collections among them."""
    return {"rules": library.rules.all(_number(library, collection))}


def add(library: Library, args: Mapping[str, Any]) -> dict[str, Any]:
    """Remember {term, kind, label, collection}; `before` is what was said about the term until now, or None."""
    collection, term = _number(library, args.get("collection")), str(args["term"])
    before = None
    with suppress(StoreError):
        before = library.rules.about(term, collection)
    return {"rule": library.rules.add(collection, args["kind"], term, args.get("label")), "before": before}


def forget(library: Library, args: Mapping[str, Any]) -> dict[str, Any]:
    """Forget a rule, by its {id} or by {term, collection}. Raises StoreError("not_found")."""
    if args.get("id") is not None:
        rule = library.rules.need(int(args["id"]))
    else:
        rule = library.rules.about(str(args["term"]), _number(library, args.get("collection")))
    library.rules.forget(rule["id"])
    return {"rule": rule}


def _number(library: Library, collection: str | int | None) -> int | None:
    return None if collection is None else int(library.collections.need(collection)["id"])
