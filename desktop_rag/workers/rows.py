"""Documents as the window and the terminal see them."""

from __future__ import annotations

import json
from typing import Any

from desktop_rag.workers.library import Library

# Measured on pages blurred, shrunk and speckled by degrees: above it at least nine words of ten were right, below
# it nearly always fewer, down to half of them.
DOUBTFUL = 0.99


def document_row(library: Library, document: str, *, known: bool = False) -> dict[str, Any]:
    """One document with its counts, in the shape of `documents` and `add`."""
    return _shaped(library, library.documents.row(document), library.documents.children(document), known=known)


def document_rows(library: Library, collection: int | None) -> list[dict[str, Any]]:
    """All documents of a collection, or of all."""
    rows = library.documents.rows(collection)
    children: dict[str, list[str]] = {row["id"]: [] for row in rows}
    for row in rows:
        if row["parent_id"] in children:
            children[row["parent_id"]].append(row["id"])
    return [_shaped(library, row, children[row["id"]], known=True) for row in rows]


def event(library: Library, document: str, *, known: bool = False) -> dict[str, Any]:
    """The event of a change of state."""
    row = document_row(library, document, known=known)
    return {**row, "event": "document", "document": document}


def shown_path(row: dict[str, Any]) -> str:
    """Where a document lies: its file, and "!" before each name on the way to what lies inside."""
    return "!".join([row["path"], *(name.replace("/", "!") for name in row["member"])])


def _shaped(library: Library, row: dict[str, Any], children: list[str], *, known: bool) -> dict[str, Any]:
    chunks, found = library.documents.counts(row["id"])
    return {
        "id": row["id"],
        "name": row["name"],
        "path": shown_path(row),
        "collection": row["collection"],
        "state": row["state"],
        "known": known,
        "pages": row["pages"],
        "pages_read": row["pages_read"],
        "pages_ocr": row["pages_ocr"],
        "pages_doubtful": library.documents.doubtful(row["id"], DOUBTFUL) if row["pages_ocr"] else [],
        "language": row["language"],
        "chunks": chunks,
        "pii": found,
        "children": children,
        "parent": row["parent_id"],
        "error": json.loads(row["error"]) if row["error"] else None,
        "size": row["size"],
        "added": row["added"],
        "format": row["format"],
        "title": row["title"],
        "policy": row["policy"],
    }
