"""The `parse` role: reads one untrusted file at a time, in a process that may be killed at any moment."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from typing import Any

from desktop_rag.documents.locate import boxes
from desktop_rag.documents.model import DocumentInfo, UnreadPage
from desktop_rag.documents.read import read
from desktop_rag.workers.loop import Operation, Request, Service

MEMORY_LIMIT_BYTES = 3 * 2**30


def _read(request: Request) -> Operation:
    """Stream a file: one "info", then "page" or "unread" events."""
    for item in read(Path(request.args["path"]), password=request.args.get("password")):
        if isinstance(item, DocumentInfo):
            yield {"event": "info", **dataclasses.asdict(item)}
        elif isinstance(item, UnreadPage):
            yield {"event": "unread", **dataclasses.asdict(item)}
        else:
            yield {
                "event": "page",
                "number": item.number,
                "locator": item.locator,
                "text": item.text,
                "blocks": [[b.kind, b.start, b.end, b.level, b.header] for b in item.blocks],
            }
    return {}


def _locate(request: Request) -> Operation:
    """The rectangles of a stretch of text on a PDF page, and the page's size, in points."""
    args = request.args
    found, size = boxes(Path(args["path"]), args["page"], args["start"], args["end"], password=args.get("password"))
    yield None
    return {"boxes": [dataclasses.asdict(box) for box in found], "page_size": list(size)}


def open_service(data_dir: Path, options: dict[str, Any]) -> Service:
    """The role's operations; the address space is limited first."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    return Service({"read": _read, "locate": _locate})
