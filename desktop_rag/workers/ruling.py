"""The rules as window and terminal ask for them: for terms and for whole classes, in one collection or in all."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from desktop_rag.errors import StoreError, UsageError
from desktop_rag.privacy.classes import LEAVE, REPLACE, Treatment, is_direct, readable, treatable, usual
from desktop_rag.workers.library import Library

DEFAULT = "default"


def listed(library: Library, collection: str | int | None) -> dict[str, Any]:
    """Every rule, or those that hold in a collection, those for all collections among them.

    {rules, treatments: what is said of classes, classes: each with how it is treated}.
    """
    number = _number(library, collection)
    treatments = [
        {**_shown(row["label"], Treatment(row["replace"], row["threshold"])), "collection": row["collection"]}
        for row in library.treatments.all(number)
    ]
    return {"rules": library.rules.all(number), "treatments": treatments, "classes": _classes(library, number)}


def treat(library: Library, args: Mapping[str, Any]) -> dict[str, Any]:
    """Treat a class {label} as {treatment} says from {threshold} on, in {collection} or all; returns its row."""
    number, treatment = _number(library, args.get("collection")), args["treatment"]
    label = "_".join(str(args["label"]).upper().split())
    threshold = args.get("threshold")
    if treatment not in (REPLACE, LEAVE, DEFAULT):
        raise UsageError(
            "bad_request", f"A class is not treated “{treatment}”.", f"Choose {REPLACE}, {LEAVE} or {DEFAULT}."
        )
    if threshold is not None and treatment != REPLACE:
        raise UsageError("bad_request", f"A score is named together with “{REPLACE}” only.")
    wanted = None if treatment == DEFAULT else Treatment(treatment == REPLACE, float(threshold or 0.0))
    library.treatments.set(number, label, wanted)
    return {"class": next(row for row in _classes(library, number) if row["label"] == label)}


def _classes(library: Library, collection: int | None) -> list[dict[str, Any]]:
    """{label, name, direct, treatment, threshold, default} of every class."""
    held = library.treatments.holding(collection)
    return [
        {**_shown(label, held.get(label, usual(label))), "direct": is_direct(label), "default": usual(label).name}
        for label in treatable()
    ]


def _shown(label: str, treatment: Treatment) -> dict[str, Any]:
    threshold = treatment.threshold or None
    return {"label": label, "name": readable(label), "treatment": treatment.name, "threshold": threshold}


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
