"""Driving a worker's operations without a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from desktop_rag.workers.library import Library
    from desktop_rag.workers.loop import Operation


def run(operation: Operation) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Drive an operation to its end; returns its events and its result."""
    events: list[dict[str, Any]] = []
    while True:
        try:
            event = next(operation)
        except StopIteration as stop:
            return events, dict(stop.value or {})
        if event is not None:
            events.append(event)


def add(library: Library, *paths: object, review: bool = False, policy: str = "pseudonymise") -> list[dict[str, Any]]:
    """Add files to the default collection; returns their rows."""
    from desktop_rag.workers import indexing

    collection = library.default_collection()["id"]
    return list(run(indexing.add(library, [str(path) for path in paths], collection, policy, review))[1]["documents"])


def counts(library: Library) -> dict[str, int]:
    """How many documents are ready, and how many passages each part of the index holds."""
    one = library.default_collection()["id"]

    def number(query: str) -> int:
        return int(library.db.execute(query).fetchone()[0])

    library.ensure_parity(one)
    return {
        "ready": number("SELECT count(*) FROM documents WHERE state = 'ready'"),
        "documents": number("SELECT count(*) FROM documents"),
        "chunks": number("SELECT count(*) FROM chunks"),
        "lexical": library.lexical.count(),
        "vectors": library.vectors.count(),
        "chroma": library.chroma.count(one),
    }


def everything(library: Library) -> str:
    """Every value of every table, as one text."""
    tables = [row[0] for row in library.db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    values = (value for table in tables for row in library.db.execute(f"SELECT * FROM {table}") for value in tuple(row))
    return "\n".join(str(value) for value in values)
