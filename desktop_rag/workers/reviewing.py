"""The review: what was found in documents, each in its context, and storing what their owner decides about it.

The text is read from the owner's own file and goes to their eyes only; what is stored are places and classes.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any

from desktop_rag.documents.model import Page, UnreadPage
from desktop_rag.errors import DesktopRagError, DocumentError, UsageError
from desktop_rag.privacy.classes import readable
from desktop_rag.privacy.marks import LABEL, Mark
from desktop_rag.privacy.rules import Rules
from desktop_rag.privacy.scrub import POLICIES
from desktop_rag.workers.foreseeing import Foreseen
from desktop_rag.workers.library import Library
from desktop_rag.workers.loop import Operation
from desktop_rag.workers.settling import is_doubtful, settled
from desktop_rag.workers.viewing import placed, reopened, viewed

_AROUND = 60
_Pages = list[tuple[dict[str, Any], Page | UnreadPage]]


def review(library: Library, document: str) -> Operation:
    """What was found in a document, in context; the text is the original, shown to its owner and not stored."""
    row = library.documents.row(document)
    found = yield from _read(library, row)
    rules, foreseen = library.rules.holding(row["collection_id"]), _foreseen(library, row, found)
    pages = []
    counts: dict[str, int] = {}
    for stored, page in found:
        yield None
        text = page.text if isinstance(page, Page) else ""
        spans = _spans(library, stored, text, rules, foreseen)
        for span in spans:
            counts[span["label"]] = counts.get(span["label"], 0) + 1
        unread = page.cause if isinstance(page, UnreadPage) else None
        pages.append({"page": page.number, "locator": page.locator, "text": text, "unread": unread, "spans": spans})
    row = library.documents.row(document)
    shown = {"document": document, "name": row["name"], "collection": row["collection_id"], **placed(row)}
    return {**shown, "policy": row["policy"], "pages": pages, "counts": counts}


def values(library: Library, documents: Sequence[str]) -> Operation:
    """What was found in several documents, a "reviewed" event for each: its values in context, or its error.

    {document, pages: [{page, locator, unread, spans}], error}; a span has its text and what stands `before` and `after`
    it besides what it has in `review`.
    """
    for document in documents:
        try:
            row = library.documents.row(document)
            found = yield from _read(library, row)
        except DesktopRagError as error:
            yield {"event": "reviewed", "document": document, "pages": [], "error": error.cause()}
            continue
        rules, foreseen = library.rules.holding(row["collection_id"]), _foreseen(library, row, found)
        pages = []
        for stored, page in found:
            text = page.text if isinstance(page, Page) else ""
            spans = [{**span, **_context(text, span)} for span in _spans(library, stored, text, rules, foreseen)]
            unread = page.cause if isinstance(page, UnreadPage) else None
            pages.append({"page": page.number, "locator": page.locator, "unread": unread, "spans": spans})
        told = {"event": "reviewed", "document": document, "name": row["name"], "collection": row["collection_id"]}
        yield {**told, "policy": row["policy"], "pages": pages, "error": None}
    return {}


def summary(library: Library, documents: Sequence[str]) -> dict[str, Any]:
    """How much waits in these documents, and in each: found, replaced, doubtful, unread (pages). No file is read."""
    return {"documents": library.reviews.summary([str(document) for document in documents])}


def boxes(library: Library, args: Mapping[str, Any]) -> Operation:
    """Where places lie on a page: {document, page, ranges: [[start, end]], as_of} -> {boxes: a list for each range}.

    Raises DocumentError when the file is gone or changed, or has no pages to be seen.
    """
    row = library.documents.row(str(args["document"]))
    ranges = [[int(start), int(end)] for start, end in args["ranges"]]
    found = yield from viewed(library, row, args, "locate_all", page=int(args["page"]), ranges=ranges)
    return {"boxes": found["boxes"], "page_size": found["page_size"]}


def decide(library: Library, args: Mapping[str, Any]) -> dict[str, Any]:
    """Store what was decided about {document} so far: {ticks, marks, policy}; it goes on waiting for its review."""
    row = library.documents.row(str(args["document"]))
    if row["state"] == "reviewing":
        store(library, row, args.get("ticks") or {}, args.get("marks") or (), args.get("policy"))
    return {}


def store(
    library: Library,
    row: dict[str, Any],
    ticks: Mapping[str, bool],
    marks: Iterable[Mapping[str, Any]],
    policy: str | None,
    **changes: Any,
) -> None:
    """Store decisions about a document, and change its columns: all of it or nothing.

    `ticks`: replace the place of this id?; `marks`: {page (its ordinal), start, end, label, replace}.
    Raises UsageError, StoreError.
    """
    if policy is not None and policy != row["policy"]:
        if policy not in POLICIES:
            raise UsageError("bad_request", f"There is no policy “{policy}”.", f"Choose one of: {', '.join(POLICIES)}.")
        if policy == "keep" and library.private(row["collection_id"]):
            # From now on nothing of it may lie in unencrypted files.
            library.drop_cache()
        changes |= {"policy": policy, "own_policy": 1}
    chosen = [(int(place), bool(replace)) for place, replace in ticks.items() if str(place).isdecimal()]
    library.reviews.decide(row["id"], chosen, [_mark(mark) for mark in marks], **changes)


def _mark(mark: Mapping[str, Any]) -> tuple[int, Mark]:
    start, end, label = int(mark["start"]), int(mark["end"]), str(mark["label"])
    if not 0 <= start < end or not LABEL.fullmatch(label):
        raise UsageError("bad_request", "A place that was marked by hand is none.", "Mark it again.")
    return int(mark["page"]), Mark(start, end, label, 1.0, replace=bool(mark["replace"]), decided=True)


def _read(library: Library, row: dict[str, Any]) -> Generator[None, None, _Pages]:
    """A document's pages as they are stored, each with what its file says there."""
    parsed = yield from reopened(library, row)
    stored = library.documents.page_rows(row["id"])
    if len(stored) != len(parsed.pages):
        raise DocumentError("not_found", "Nothing was found in this document yet.", "Wait until it asks for a review.")
    return list(zip(stored, parsed.pages, strict=True))


def _foreseen(library: Library, row: dict[str, Any], found: _Pages) -> Foreseen:
    return Foreseen(library, row, [page.text for _, page in found if isinstance(page, Page)])


def _spans(
    library: Library, stored: dict[str, Any], text: str, rules: Rules, foreseen: Foreseen
) -> list[dict[str, Any]]:
    return [
        {
            "id": mark.id,
            "start": mark.start,
            "end": mark.end,
            "label": mark.label,
            "class": readable(mark.label),
            "score": mark.score,
            "replace": mark.replace,
            "decided": mark.decided,
            "doubtful": is_doubtful(text, mark, rules),
            "rule": rules.about(text[mark.start : mark.end]),
            "replacement": foreseen.stand_in(mark.label, text[mark.start : mark.end]),
        }
        for mark in settled(text, library.reviews.marks(stored["id"]), rules)
    ]


def _context(text: str, span: Mapping[str, Any]) -> dict[str, str]:
    start, end = span["start"], span["end"]
    return {
        "text": text[start:end],
        "before": text[max(0, start - _AROUND) : start],
        "after": text[end : end + _AROUND],
    }
