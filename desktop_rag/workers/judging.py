"""Naming the right passages of a question: by calling an answer good, or by picking among what a search finds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from desktop_rag.errors import UsageError
from desktop_rag.store.connection import transaction
from desktop_rag.store.judged import Judged, Spot
from desktop_rag.workers import hits, questions
from desktop_rag.workers.library import Library

_SHARE = 0.5
"""Of the shorter of two stretches so much has to lie in both, for the one to be the other after a new cut."""


def listed(library: Library) -> list[dict[str, Any]]:
    """{id, question, message, passages: [{document, name, page, locator, start, end, collection}]}, newest first."""
    judged = Judged(library.db)
    return [{**row, "passages": list(_told(library, judged.spots(row["id"])))} for row in judged.all()]


def _told(library: Library, spots: Sequence[Spot]) -> Iterator[dict[str, Any]]:
    for spot in spots:
        row = library.db.execute(
            "SELECT d.id AS document, d.name, d.collection_id AS collection, p.number AS page, p.locator"
            " FROM documents d LEFT JOIN pages p ON p.document_id = d.id AND p.ordinal = ? WHERE d.id = ?",
            (spot.page, spot.document),
        ).fetchone()
        yield {**dict(row), "start": spot.start, "end": spot.end}


def mark(library: Library, message: str) -> int:
    """Keep the question of a good answer, with the passages it cites. Raises UsageError where it cites none."""
    row = library.db.execute("SELECT conversation_id, parent_id FROM messages WHERE id = ?", (message,)).fetchone()
    said = library.conversations.one(row["conversation_id"])["messages"] if row else []
    by_id = {each["id"]: each for each in said}
    answer, question = by_id.get(message), by_id.get(row["parent_id"]) if row else None
    if answer is None or question is None:
        raise UsageError("bad_request", "There is no such answer any more.", "It may have been deleted.")
    spots = _spots(library, (answer["data"] or {}).get("citations") or ())
    return Judged(library.db).add(question["text"], spots, message)


def judge(library: Library, question: str, passages: Sequence[Mapping[str, Any]]) -> int:
    """Keep a typed question with its right passages. Raises UsageError for none."""
    if not question.strip():
        raise UsageError("bad_request", "The question is empty.", "Type what you would ask.")
    spots = _spots(library, passages)
    # What the search itself would keep of the question: the names in it are replaced.
    stored = questions.find(library, question, None, "bm25", 1)["query"]
    return Judged(library.db).add(stored, spots)


def remove(library: Library, judged: int) -> None:
    """Forget a question."""
    with transaction(library.db):
        Judged(library.db).remove([judged])


def unmark(library: Library, message: str) -> None:
    """An answer is not called good any more."""
    Judged(library.db).remove_message(message)


def _spots(library: Library, passages: Sequence[Mapping[str, Any]]) -> list[Spot]:
    found = []
    for passage in passages:
        document = str(passage["document"])
        pages = library.documents.page_rows(document) if library.documents.exists(document) else []
        wanted = (passage.get("page"), passage.get("locator"))
        page = next((row for row in pages if (row["number"], row["locator"]) == wanted), None)
        if page is not None:
            found.append(Spot(document, page["ordinal"], int(passage["start"]), int(passage["end"])))
    if not found:
        raise UsageError(
            "bad_request", "No passage of this is in the library.", "Only what cites a passage can be measured by."
        )
    return list(dict.fromkeys(found))


def relevant(library: Library, spots: Sequence[Spot]) -> dict[int, set[int]]:
    """By collection the chunks that hold the spots now, whatever they were when these were named."""
    found: dict[int, set[int]] = {}
    for spot in spots:
        rows = library.db.execute(
            "SELECT k.id, k.start, k.end, k.page_id, d.collection_id FROM chunks k JOIN pages p ON p.id = k.page_id"
            " JOIN documents d ON d.id = p.document_id WHERE p.document_id = ? AND p.ordinal = ?",
            (spot.document, spot.page),
        ).fetchall()
        offsets = hits.page_offsets(library, rows[0]["page_id"]) if rows else None
        for row in rows:
            assert offsets is not None
            start, end = offsets.to_original(row["start"]), offsets.to_original(row["end"], end=True)
            shared = min(end, spot.end) - max(start, spot.start)
            if shared > 0 and shared >= _SHARE * min(end - start, spot.end - spot.start):
                found.setdefault(row["collection_id"], set()).add(row["id"])
    return found
