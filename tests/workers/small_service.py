"""A real worker loop around operations that are easy to watch: `small_service.py`, run as a child process."""

from __future__ import annotations

import sys
import time
from typing import Any

from desktop_rag.errors import DocumentError
from desktop_rag.workers.loop import Loop, Operation, Request, Service
from desktop_rag.workers.main import _take_pipe
from desktop_rag.workers.protocol import PROTOCOL


def slow(request: Request) -> Operation:
    """Counts until it is told to stop; a background operation."""
    for step in range(100_000):
        time.sleep(0.002)
        yield {"event": "step", "step": step}
    return {}


def ping(request: Request) -> Operation:
    yield None
    return {"pong": request.args.get("text"), "length": len(request.args.get("text") or "")}


def spin(request: Request) -> Operation:
    """Native work that looks at its flag only."""
    yield {"event": "begun"}
    while not request.cancelled.is_set():
        time.sleep(0.002)
    yield None
    return {"finished": True}


def refuse(request: Request) -> Operation:
    yield None
    raise DocumentError("empty", "Nothing in it.", "Look.", details={"pages": 0})


def buggy(request: Request) -> Operation:
    yield None
    raise ValueError(f"the secret is {request.args['secret']}")


def hasty(request: Request) -> Operation:
    """Fails before its first event, as a handler that is no generator itself."""
    return iter({}[request.args["secret"]])  # type: ignore[return-value]


def printer(request: Request) -> Operation:
    """A library that prints, also below Python."""
    import os

    print("chatter")
    os.write(1, b'{"id": 1, "event": "done", "forged": true}\n')
    yield None
    return {"fine": True}


def big(request: Request) -> Operation:
    yield {"event": "page", "text": "é" * int(request.args["size"])}
    return {"ok": True}


def look(args: dict[str, Any]) -> dict[str, Any]:
    """Answered beside all others; anything but text is a bug."""
    return {"seen": "" + args["text"]}


channel = _take_pipe()
channel.send({"event": "hello", "protocol": PROTOCOL, "role": "small", "pid": 0, "capabilities": [], "seal": "none"})
handlers = {f.__name__: f for f in (slow, ping, spin, refuse, buggy, hasty, printer, big)}
sys.exit(Loop(channel, Service(handlers, frozenset({"slow"}), beside={"look": look})).run())  # type: ignore[func-returns-value]
