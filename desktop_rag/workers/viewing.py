"""Showing a document to its owner: the original, read from their own file, or the scrubbed text.

A PDF or a picture is shown as its pages look. The parse role draws them: the window never opens a file of the user,
so that a hostile one, wherever it lies, costs one page and not the window.
"""

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

_PAGED = frozenset({"pdf", "image"})


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
        parsed = yield from _reread(library, row)
    except DocumentError as error:
        note = f"{error.message} The cleaned text is shown instead."
        return {**shown, "original": False, "pages": text(library, document)["pages"], "note": note}
    pages = [
        {"page": p.number, "locator": p.locator, "text": "" if isinstance(p, UnreadPage) else p.text}
        for p in parsed.pages
    ]
    return {**shown, "original": True, "pages": pages, "note": None}


def locate(library: Library, args: dict[str, Any]) -> Operation:
    """Where original offsets lie: rectangles on a page, offsets in a text; scrubbed ones when the file changed.

    {document, page, locator, start, end, boxes, as_of}: with `boxes` false no rectangles are looked for, which takes
    seconds on a page that is a picture. `as_of` in the answer stands for the file as it was found.
    """
    row = library.documents.row(str(args["document"]))
    number, start, end = args.get("page"), int(args["start"]), int(args["end"])
    place = {**_place(row), "page": number, "boxes": [], "page_size": None, "as_of": None}
    yield None
    try:
        place["as_of"] = yield from _verified(library, row, args)
        if place["paged"] and number is not None and start < end and args.get("boxes", True):
            found = yield from _viewer(library, row, "locate", page=int(number), start=start, end=end)
            place.update(boxes=found["boxes"], page_size=found["page_size"])
        return {**place, "original": True, "start": start, "end": end}
    except DocumentError:
        rows = library.documents.page_rows(row["id"])
        page = next((p for p in rows if (p["number"], p["locator"]) == (number, args.get("locator"))), None)
        offsets = page_offsets(library, page["id"]) if page else None
        start, end = (offsets.to_scrubbed(start), offsets.to_scrubbed(end)) if offsets else (start, end)
        return {**place, "original": False, "start": start, "end": end}


def page_sizes(library: Library, args: dict[str, Any]) -> Operation:
    """The `sizes` in points of the pages of {document, as_of}.

    Raises DocumentError when the file is gone or changed, cannot be opened or has no pages to be seen.
    """
    row = library.documents.row(str(args["document"]))
    yield None
    if row["format"] not in _PAGED:
        raise DocumentError("unsupported", "This document has no pages that could be shown.", "It is shown as text.")
    yield from _verified(library, row, args)
    return {"sizes": (yield from _viewer(library, row, "page_sizes"))["sizes"]}


def page_image(library: Library, args: dict[str, Any]) -> Operation:
    """A page as the parse role draws it, in "piece" events: {document, page, width, as_of}. Raises as `page_sizes`."""
    row = library.documents.row(str(args["document"]))
    yield None
    yield from _verified(library, row, args)
    drawn = yield from _viewer(library, row, "page_image", page=int(args["page"]), width=int(args["width"]))
    return {"width": drawn["width"], "height": drawn["height"]}


def _viewer(library: Library, row: dict[str, Any], op: str, **args: Any) -> Operation:
    """Ask the parse role about a document, with the passwords that were given."""
    path, member = Path(row["path"]), row["member"]
    return (
        yield from attempts(library.passwords, lambda password: library.viewer.ask(op, path, password, member, **args))
    )


def _verified(library: Library, row: dict[str, Any], args: dict[str, Any]) -> Generator[None, None, str]:
    """The state of the user's file, which is what was indexed. Raises DocumentError when it is not.

    Whoever names the state that was found before spares reading a large file for every page that is looked at.
    """
    try:
        status = Path(row["path"]).stat()
        as_of = f"{status.st_ino} {status.st_size} {status.st_mtime_ns}"
    except OSError:
        as_of = ""
    if as_of == "" or args.get("as_of") != as_of:
        yield from unchanged(library, row)
    return as_of


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
    """Where the original lies, and whether it has pages to be seen."""
    return {"path": shown_path(row), "format": row["format"], "paged": row["format"] in _PAGED}


def _reread(library: Library, row: dict[str, Any]) -> Generator[None, None, ParsedFile]:
    try:
        return (yield from reread(library, row, library.viewer))
    except DocumentError:
        raise
    except DesktopRagError as error:
        raise DocumentError("unreadable", error.message, error.hint) from error
