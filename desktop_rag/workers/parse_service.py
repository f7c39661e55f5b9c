"""The `parse` role: reads one untrusted file at a time, in a process that may be killed at any moment."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import hashlib
import zlib
from pathlib import Path
from typing import Any

from desktop_rag.documents.locate import boxes, boxes_of_all
from desktop_rag.documents.model import DocumentInfo, UnreadPage
from desktop_rag.documents.page_images import errors_said, page_image, page_sizes
from desktop_rag.documents.read import read, source_of
from desktop_rag.documents.source import Child, Source
from desktop_rag.errors import DocumentError
from desktop_rag.workers.loop import Operation, Request, Service

MEMORY_LIMIT_BYTES = 3 * 2**30
_PIECE_BYTES = 192 * 1024
"""What one message carries of a page's picture: a quarter of a megabyte as base64."""


def _read(request: Request) -> Operation:
    """Stream a file: one "info", then "page" or "unread" events, and "child" for the files inside.

    {path, member, password, recognise, known}: `member` is the way to a file inside, `recognise` whether pictures are
    read, `known` the numbers of those that need not be.
    """
    args = request.args
    for item in read(
        Path(args["path"]),
        password=args.get("password"),
        member=tuple(args.get("member") or ()),
        recognise=bool(args.get("recognise", True)),
        known=args.get("known") or (),
    ):
        if isinstance(item, DocumentInfo):
            yield {"event": "info", **dataclasses.asdict(item)}
        elif isinstance(item, UnreadPage):
            yield {"event": "unread", **dataclasses.asdict(item)}
        elif isinstance(item, Child):
            yield _child(item)
        else:
            yield {
                "event": "page",
                "number": item.number,
                "locator": item.locator,
                "text": item.text,
                "confidence": item.confidence,
                "blocks": [[b.kind, b.start, b.end, b.level, b.header] for b in item.blocks],
            }
    return {}


def _child(item: Child) -> dict[str, Any]:
    """What is known of a file inside: its content's hash and size, or why it cannot be had."""
    told: dict[str, Any] = {"event": "child", "name": item.name, "size": item.size, "sha256": None, "error": None}
    try:
        content = item.load()
    except DocumentError as error:
        return {**told, "error": [error.code, error.message, error.hint]}
    return {**told, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _locate(request: Request) -> Operation:
    """The rectangles of a stretch of text on a page of a PDF or picture, and the page's size, in points."""
    args = request.args
    found, size = boxes(_source(args), args["page"], args["start"], args["end"], password=args.get("password"))
    yield None
    return {"boxes": [dataclasses.asdict(box) for box in found], "page_size": list(size)}


def _locate_all(request: Request) -> Operation:
    """The rectangles of each of several {ranges} of the text of a {page}, and the page's size, in points."""
    args = request.args
    ranges = [(int(start), int(end)) for start, end in args["ranges"]]
    found, size = boxes_of_all(_source(args), args["page"], ranges, args.get("password"))
    yield None
    return {"boxes": [[dataclasses.asdict(box) for box in boxes] for boxes in found], "page_size": list(size)}


def _page_sizes(request: Request) -> Operation:
    """The size in points of every page of a PDF or picture: {path, member, password}."""
    yield None
    return {"sizes": page_sizes(_source(request.args), request.args.get("password"))}


def _page_image(request: Request) -> Operation:
    """Stream a page {page} drawn {width} dots wide in "piece" events {data}; at last its {width, height}.

    The pieces together are the dots, row by row, three bytes each (blue, green, red), compressed by zlib: whoever
    shows them needs no decoder of pictures, which a hostile file could be aimed at.
    """
    args = request.args
    picture = page_image(_source(args), int(args["page"]), max(1, int(args["width"])), args.get("password"))
    yield None
    content = zlib.compress(picture.tobytes(), 1)
    for start in range(0, len(content), _PIECE_BYTES):
        yield {"event": "piece", "data": base64.b64encode(content[start : start + _PIECE_BYTES]).decode("ascii")}
    return {"width": picture.shape[1], "height": picture.shape[0]}


def _source(args: dict[str, Any]) -> Source:
    with errors_said():
        return source_of(Path(args["path"]), tuple(args.get("member") or ()), password=args.get("password"))


def open_service(data_dir: Path, options: dict[str, Any]) -> Service:
    """The role's operations; the address space is limited first."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    handlers = {"read": _read, "locate": _locate, "locate_all": _locate_all}
    return Service({**handlers, "page_sizes": _page_sizes, "page_image": _page_image})
