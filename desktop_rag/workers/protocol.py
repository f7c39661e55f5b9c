"""The pipe between a parent and its workers: one JSON object a line, both ways.

Parent to worker:  {"id": 7, "op": "search", "args": {...}} and {"op": "cancel", "target": 7}
Worker to parent:  {"event": "hello", "protocol", "role", "pid", "capabilities", "seal"} first,
                   {"id": 7, "event": ...} any number of times, and at last one of
                   {"id": 7, "event": "done", ...} or {"id": 7, "event": "error", "error": {...}};
                   {"event": "beat"} about once a second; {"event": "fatal", "error"} before a start that failed.
"prove" is an operation of every role, answered at any time, also while another one goes on: see `privacy.proof`.
Unknown events and keys are ignored by both sides.
"""

from __future__ import annotations

import json
from typing import Any

PROTOCOL = 1
BEAT_SECONDS = 1.0

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
