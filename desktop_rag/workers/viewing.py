"""Showing a document to its owner: the original, read from their own file, or the scrubbed text.

A PDF or a picture is shown as its pages look. The parse role draws them: the window never opens a file of the user,
so that a hostile one, wherever it lies, costs one page and not the window.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

from desktop_rag.documents.model import UnreadPage
from desktop_rag.errors import DesktopRagError, DocumentError
from desktop_rag.workers.hits import page_offsets
from desktop_rag.workers.library import Library
from desktop_rag.workers.loop import Operation
from desktop_rag.workers.originals import attempts, reread, unchanged
from desktop_rag.workers.parsing import ParsedFile
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
    shown = {"document": document, "name": row["name"], **placed(row)}
    try:
        parsed = yield from reopened(library, row)
    except DocumentError as error:
        note = f"{error.message} The cleaned text is shown instead."
        pages = text(library, document)["pages"]
        return {**shown, "original": False, "pages": pages, "note": note, "stand_ins": _stand_ins(library, row, pages)}
    pages = [
        {"page": p.number, "locator": p.locator, "text": "" if isinstance(p, UnreadPage) else p.text}
        for p in parsed.pages
    ]
    return {**shown, "original": True, "pages": pages, "note": None}


def _stand_ins(library: Library, row: dict[str, Any], pages: list[dict[str, Any]]) -> list[str]:
    """The words of a scrubbed document that believably stand for others."""
    if row["policy"] != "substitute":
        return []
    substitutes = library.substitutes(row["collection_id"])
    return sorted({found for page in pages for found in substitutes.real(page["text"])})


def locate(library: Library, args: dict[str, Any]) -> Operation:
    """Where original offsets lie: rectangles on a page, offsets in a text; scrubbed ones when the file changed.

    {document, page, locator, start, end, boxes, as_of}: with `boxes` false no rectangles are looked for, which takes
    seconds on a page that is a picture. `as_of` in the answer stands for the file as it was found.
    """
    row = library.documents.row(str(args["document"]))
    number, start, end = args.get("page"), int(args["start"]), int(args["end"])
    place = {**placed(row), "page": number, "boxes": [], "page_size": None, "as_of": None}
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
    return {"sizes": (yield from viewed(library, row, args, "page_sizes"))["sizes"]}


def page_image(library: Library, args: dict[str, Any]) -> Operation:
    """A page as the parse role draws it, in "piece" events: {document, page, width, as_of}. Raises as `page_sizes`."""
    row = library.documents.row(str(args["document"]))
    yield None
    yield from _verified(library, row, args)
    drawn = yield from _viewer(library, row, "page_image", page=int(args["page"]), width=int(args["width"]))
    return {"width": drawn["width"], "height": drawn["height"]}


def viewed(library: Library, row: dict[str, Any], request: Mapping[str, Any], op: str, **args: Any) -> Operation:
    """Ask the parse role about the pages of a document whose file is as {as_of} of the request says.

    Raises DocumentError when the file is gone or changed, cannot be opened or has no pages to be seen.
    """
    yield None
    if row["format"] not in _PAGED:
        raise DocumentError("unsupported", "This document has no pages that could be shown.", "It is shown as text.")
    yield from _verified(library, row, request)
    return (yield from _viewer(library, row, op, **args))


def _viewer(library: Library, row: dict[str, Any], op: str, **args: Any) -> Operation:
    """Ask the parse role about a document, with the passwords that were given."""
    path, member = Path(row["path"]), row["member"]
    return (
        yield from attempts(library.passwords, lambda password: library.viewer.ask(op, path, password, member, **args))
    )


def _verified(library: Library, row: dict[str, Any], args: Mapping[str, Any]) -> Generator[None, None, str]:
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


def placed(row: dict[str, Any]) -> dict[str, Any]:
    """Where the original lies, and whether it has pages to be seen."""
    return {"path": shown_path(row), "format": row["format"], "paged": bool(row["path"]) and row["format"] in _PAGED}


def reopened(library: Library, row: dict[str, Any]) -> Generator[None, None, ParsedFile]:
    """What the file of a document says, read once more. Raises DocumentError when it is gone or changed."""
    try:
        return (yield from reread(library, row, library.viewer))
    except DocumentError:
        raise
    except DesktopRagError as error:
        raise DocumentError("unreadable", error.message, error.hint) from error
