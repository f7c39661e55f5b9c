"""Showing a document to its owner: the original, read from their own file, or the scrubbed text."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

from desktop_rag.documents.model import UnreadPage
from desktop_rag.errors import DesktopRagError, DocumentError
from desktop_rag.privacy.classes import readable
from desktop_rag.privacy.findings import doubtful
from desktop_rag.workers.library import Library
from desktop_rag.workers.loop import Operation
from desktop_rag.workers.originals import attempts, reread, unchanged
from desktop_rag.workers.parsing import ParsedFile
from desktop_rag.workers.questions import page_offsets
from desktop_rag.workers.rows import shown_path


def text(library: Library, document: str) -> dict[str, Any]:
    """`documents --text`: the scrubbed pages."""
    row = library.documents.row(document)
    pages = [
        {"page": p["number"], "locator": p["locator"], "text": p["text"] or ""}
        for p in library.documents.page_rows(document)
    ]
    return {"document": document, "name": row["name"], "pages": pages}


def view(library: Library, document: str) -> Operation:
    """The pages as the owner wrote them; with `original` false and a note when the file is gone or changed."""
    row = library.documents.row(document)
    shown = {"document": document, "name": row["name"], **_place(row)}
    try:
        # The window shows the pages of a PDF as they look: what is a picture need not be read again for that.
        parsed = yield from _reread(library, row, recognise=_place(row)["format"] != "pdf")
    except DocumentError as error:
        note = f"{error.message} The cleaned text is shown instead."
        return {**shown, "original": False, "pages": text(library, document)["pages"], "note": note}
    pages = [
        {"page": p.number, "locator": p.locator, "text": "" if isinstance(p, UnreadPage) else p.text}
        for p in parsed.pages
    ]
    return {**shown, "original": True, "pages": pages, "note": None}


def locate(library: Library, args: dict[str, Any]) -> Operation:
    """Where original offsets lie: rectangles on a PDF page, offsets in a text; scrubbed ones when the file changed."""
    row = library.documents.row(str(args["document"]))
    start, end = int(args["start"]), int(args["end"])
    page = next(
        (
            p
            for p in library.documents.page_rows(row["id"])
            if (p["number"], p["locator"]) == (args.get("page"), args.get("locator"))
        ),
        None,
    )
    place = {**_place(row), "page": args.get("page"), "boxes": [], "page_size": None}
    yield None
    try:
        yield from unchanged(library, row)
        if _place(row)["format"] == "pdf" and args.get("page") is not None:
            place.update((yield from _boxes(library, row, int(args["page"]), start, end)))
        return {**place, "original": True, "start": start, "end": end}
    except DocumentError:
        offsets = page_offsets(library, page["id"]) if page else None
        start, end = (offsets.to_scrubbed(start), offsets.to_scrubbed(end)) if offsets else (start, end)
        return {**place, "original": False, "start": start, "end": end}


def _boxes(
    library: Library, row: dict[str, Any], page: int, start: int, end: int
) -> Generator[None, None, dict[str, Any]]:
    found = yield from attempts(
        library.passwords,
        lambda password: library.viewer.locate(Path(row["path"]), page, start, end, password, row["member"]),
    )
    return {"boxes": found["boxes"], "page_size": found["page_size"]}


def review(library: Library, document: str) -> Operation:
    """What was found in a document, in context; the text is the original, shown to its owner and not stored."""
    row = library.documents.row(document)
    parsed = yield from _reread(library, row)
    row, pages_found = library.documents.row(document), library.documents.page_rows(document)
    if len(pages_found) != len(parsed.pages):
        raise DocumentError("not_found", "Nothing was found in this document yet.", "Wait until it asks for a review.")
    counts: dict[str, int] = {}
    pages = []
    for stored, page in zip(pages_found, parsed.pages, strict=True):
        yield None
        content = "" if isinstance(page, UnreadPage) else page.text
        spans = []
        for span in library.documents.spans(stored["id"]):
            if span["label"] == "LOOK_ALIKE":
                continue
            value = content[span["start"] : span["end"]]
            counts[span["label"]] = counts.get(span["label"], 0) + 1
            spans.append(
                {
                    "id": span["id"],
                    "start": span["start"],
                    "end": span["end"],
                    "label": span["label"],
                    "class": readable(span["label"]),
                    "score": span["score"],
                    "replace": bool(span["replace"]),
                    "doubtful": bool(span["replace"]) and doubtful(span["label"], value, span["score"]),
                    "replacement": None,
                }
            )
        pages.append({"page": page.number, "locator": page.locator, "text": content, "spans": spans})
    return {
        "document": document,
        "name": row["name"],
        **_place(row),
        "policy": row["policy"],
        "pages": pages,
        "counts": counts,
    }


def _place(row: dict[str, Any]) -> dict[str, Any]:
    """Where the original can be opened; what lies inside another file is shown as text."""
    inside = bool(row["member"])
    return {"path": shown_path(row), "format": "text" if inside else row["format"]}


def _reread(library: Library, row: dict[str, Any], *, recognise: bool = True) -> Generator[None, None, ParsedFile]:
    try:
        return (yield from reread(library, row, library.viewer, recognise=recognise))
    except DocumentError:
        raise
    except DesktopRagError as error:
        raise DocumentError("unreadable", error.message, error.hint) from error
