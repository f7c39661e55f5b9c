"""The passages behind the rows of a trace, which names them by id alone: what is removed since has none any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from desktop_rag.workers.hits import page_offsets
from desktop_rag.workers.library import Library

_AT_ONCE = 500


def passages(library: Library, chunks: Sequence[int]) -> list[dict[str, Any]]:
    """Those of the chunks that are still there: {chunk, document, name, page, locator, start, end, text, context}."""
    found = []
    for at in range(0, len(chunks), _AT_ONCE):
        for row in library.documents.chunk_rows(chunks[at : at + _AT_ONCE]).values():
            offsets = page_offsets(library, row["page_id"])
            place = {name: row[name] for name in ("chunk", "document", "name", "page", "locator", "text", "context")}
            start, end = offsets.to_original(row["start"]), offsets.to_original(row["end"], end=True)
            found.append({**place, "start": start, "end": end})
    return found
