"""What a conversation shows, apart from how: questions and answers in every phase of their life. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from desktop_rag.errors import DesktopRagError

_PARTIAL = {
    "cancelled": "You stopped this answer. What was written so far is kept.",
    "crashed": "The language model stopped unexpectedly. What was written so far is kept.",
    "hung": "The language model stopped answering. What was written so far is kept.",
}

SEARCHING, READING, STREAMING, ENDED = "searching", "reading", "streaming", "ended"


@dataclass(slots=True, eq=False)
class Question:
    """What the user asked; `text` is the scrubbed question once it is stored."""

    text: str


@dataclass(slots=True, eq=False)
class Answer:
    """An answer being searched, streamed or finished; `data` is its `done` event.

    `reading_all` tells how far the reading of everything has come; `message` is the id it is kept under.
    """

    question: str
    phase: str = SEARCHING
    text: str = ""
    passages: list[dict[str, Any]] = field(default_factory=list)
    coverage: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    partial: str = ""
    partial_reason: str = ""
    stored: bool = False
    error: DesktopRagError | None = None
    reading_all: dict[str, Any] = field(default_factory=dict)
    message: str = ""

    @property
    def citations(self) -> list[dict[str, Any]]:
        """The citations of the finished answer."""
        return list(self.data.get("citations") or [])

    def citation(self, marker: int) -> dict[str, Any] | None:
        """The citation of a chip."""
        return next((item for item in self.citations if item.get("marker") == marker), None)

    @property
    def shown_passages(self) -> list[dict[str, Any]]:
        """What the sources tab lists: the passages read, or the citations of an answer from the past.

        Where everything was read it is what the answer quotes.
        """
        if self.data.get("strategy") in ("whole", "map_reduce"):
            return self.citations
        # What only stands around the best of them is told in the trace.
        return [passage for passage in self.passages if "around" not in passage] or self.citations

    @property
    def found(self) -> bool:
        """False when the documents do not hold the answer."""
        return bool(self.data.get("found", True))


Entry = Question | Answer


def from_messages(messages: list[dict[str, Any]]) -> list[Entry]:
    """The entries of a stored conversation."""
    entries: list[Entry] = []
    question = ""
    for message in messages:
        text = str(message.get("text") or "")
        if message.get("role") == "user":
            question = text
            entries.append(Question(text))
        else:
            entries.append(_stored_answer(question, text, message))
    return entries


def _stored_answer(question: str, text: str, message: dict[str, Any]) -> Answer:
    data = dict(message.get("data") or {})
    reason = str(data.get("reason") or "")
    return Answer(
        question,
        ENDED,
        str(data.get("answer") or text),
        list(data.get("passages") or []),
        dict(data.get("coverage") or {}),
        data,
        _PARTIAL.get(reason, ""),
        reason if reason in _PARTIAL else "",
        message=str(message.get("id") or ""),
    )
