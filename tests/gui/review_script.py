"""What a scripted library says of documents under review."""

from __future__ import annotations

from collections.abc import Iterator

from desktop_rag.gui.backend import Event
from tests.gui.script import FOUND, PDF, TEXT


def review(document: str) -> Event:
    """The answer of `review` about any document."""
    spans = []
    for number, (text, label, replace, doubtful) in enumerate(FOUND):
        start = TEXT.index(text)
        spans.append(
            {
                "id": number,
                "start": start,
                "end": start + len(text),
                "label": label,
                "score": 0.9,
                "replace": replace,
                "doubtful": doubtful,
                "replacement": None,
            }
        )
    pages = [{"page": 1, "locator": None, "text": TEXT, "unread": None, "spans": spans}]
    pages += [{"page": 2, "locator": None, "text": "", "unread": "no text on this page", "spans": []}]
    shown = {"document": document, "name": document, "format": document.rpartition(".")[2]}
    return {**shown, "paged": document == PDF, "policy": "pseudonymise", "pages": pages, "counts": {}}


def summary(documents: list[str]) -> Event:
    """The answer of `review_summary`."""
    sums = {"found": len(FOUND), "replaced": 7, "doubtful": 1, "unread": 1}
    return {"documents": {name: dict(sums) for name in documents}}


def values(documents: list[str]) -> Iterator[Event]:
    """The events of `review_values`."""
    for name in documents:
        told = review(name)
        first, second = told["pages"]
        spans = [
            {**s, "text": TEXT[s["start"] : s["end"]], "before": TEXT[max(0, s["start"] - 60) : s["start"]],
             "after": TEXT[s["end"] : s["end"] + 60]}
            for s in first["spans"]
        ]  # fmt: skip
        pages = [{**first, "spans": spans}, second]
        for page in pages:
            del page["text"]
        yield {"event": "reviewed", **told, "pages": pages, "error": None}
    yield {"event": "done"}


def boxes(document: str, page: int, ranges: list[list[int]], as_of: str | None = None) -> Event:
    """The answer of `review_boxes`: a box for each place, one below the other."""
    boxes = [[{"x": 60.0, "y": 40.0 + 14 * n, "width": 90.0, "height": 12.0}] for n in range(len(ranges))]
    return {"boxes": boxes, "page_size": [595, 842]}
