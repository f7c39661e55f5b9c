"""Map and reduce: a model reads more than fits into its context, in turns, then its own notes, until one text is left.

What it reads are the telling passages of everything that was read; each turn takes as many as fit. The sentences of the
last text are aligned to the passages afterwards, like those of any answer: notes are never cited.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

Event = dict[str, Any]
Read = Callable[[Sequence[Event]], Iterator[Event]]
"""The events of one turn over some passages; the last one ("done") tells `passages_used`, and may tell a `reason`."""


def reduced(read: Read, passages: Sequence[Event], refuses: Callable[[str], bool]) -> Generator[Event, None, Event]:
    """Yield "reducing" events {read, total, turn}; return {text, ended, turns}, the text "" where nothing was said.

    `refuses` tells of a note that it says nothing. Notes that do not get fewer are put one after the other.
    """
    turns, ended = 0, Event()
    while True:
        notes: list[str] = []
        done = 0
        while done < len(passages):
            yield {"event": "reducing", "read": done, "total": len(passages), "turn": turns + 1}
            text, ended = yield from _turn(read, passages[done:])
            turns += 1
            if text and not refuses(text):
                notes.append(text)
            # A turn that took none would never end.
            done += max(1, int(ended.get("passages_used") or 0))
        if len(notes) < 2 or len(notes) >= len(passages):
            return {"text": "\n".join(notes), "ended": ended, "turns": turns}
        passages = [{"text": note, "context": "", "instruction_like": True} for note in notes]


def _turn(read: Read, passages: Sequence[Event]) -> Generator[Event, None, tuple[str, Event]]:
    """What the model said of as many of the passages as fit, and its last event."""
    parts: list[str] = []
    ended = Event()
    for event in read(passages):
        if event["event"] == "token":
            parts.append(str(event["text"]))
        elif event["event"] == "prefill":
            yield event
        elif event["event"] == "done":
            ended = event
    return "".join(parts).strip(), ended
