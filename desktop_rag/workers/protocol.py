"""The pipe between a parent and its workers: one JSON object a line, both ways.

Parent to worker:  {"id": 7, "op": "search", "args": {...}} and {"op": "cancel", "target": 7}
Worker to parent:  {"event": "hello", "protocol", "role", "pid", "capabilities", "seal"} first,
                   {"id": 7, "event": ...} any number of times, and at last one of
                   {"id": 7, "event": "done", ...} or {"id": 7, "event": "error", "error": {...}};
                   {"event": "beat"} about once a second; {"event": "fatal", "error"} before a start that failed;
                   {"event": "upgrading"} now and then while an older library is brought up to date.
"prove" is an operation of every role, answered at any time, also while another one goes on: see `privacy.proof`.
Unknown events and keys are ignored by both sides.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

PROTOCOL = 1
BEAT_SECONDS = 1.0
UPGRADING = "The library is being brought up to date; with many documents this takes minutes, once."

Message = dict[str, Any]


def encode(message: Message) -> bytes:
    """One line; lone surrogates (odd file names) survive as escapes."""
    return json.dumps(message, ensure_ascii=True, separators=(",", ":"), default=str).encode("ascii") + b"\n"


def decode(line: bytes) -> Message | None:
    """The message of a line, or None for noise that is not a JSON object."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def lines(pipe: Any) -> Iterator[bytes]:
    """Lines of an unbuffered pipe, as they arrive; a line of many megabytes is put together only once."""
    parts: list[bytes] = []
    while block := os.read(pipe.fileno(), 1 << 16):
        first, *others = block.split(b"\n")
        parts.append(first)
        if others:
            yield b"".join(parts)
            yield from others[:-1]
            parts = [others[-1]]
    if rest := b"".join(parts):
        yield rest
