"""An answer as it comes from a server: text out, tokens counted, ended at a stop string or when it runs in circles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from desktop_rag.engines.openai_dialect import Delta, Usage
from desktop_rag.engines.pieces import LoopWatch
from desktop_rag.engines.protocol import Piece
from desktop_rag.engines.stop_strings import StopStrings

# A few tokens of a full answer share a delta with their neighbours.
_NEARLY = 0.8


class Answer:
    """Collects deltas. A server sends a delta for a token or for a few; until it tells, deltas are what is counted."""

    def __init__(self, stop: Sequence[str], max_tokens: int) -> None:
        self.deltas = 0
        self.usage: Usage | None = None
        self.first: float | None = None
        self.last = 0.0
        self.text = ""
        self.max_tokens = max_tokens
        self._stops = StopStrings(stop)
        self._reason: str | None = None
        self._loops = LoopWatch()
        self._words: dict[str, int] = {}
        self.complete = False

    def add(self, delta: Delta, at: float) -> Iterator[Piece]:
        """Take one delta, `at` seconds since the request; yields the text it brings to light."""
        self.usage = delta.usage or self.usage
        if delta.text:
            self.deltas += 1
            self.first = at if self.first is None else self.first
            self.last = at
            if not delta.thought:
                yield from self._show(self._stops.add(delta.text), at)
                if self._stops.hit:
                    self._end("stop")
                elif self._circles(delta.text):
                    self._end("loop")
        if delta.finish:
            self._reason = self._reason or ("length" if delta.finish == "length" else "end")
        if delta.done or (delta.finish and self.usage):
            self._end("end")

    def rest(self) -> Iterator[Piece]:
        """What was held back because it might have become a stop string."""
        yield from self._show(self._stops.end(), self.last)

    @property
    def whole(self) -> bool:
        """Whether the server brought it to an end, or we did."""
        return self.complete or self._reason is not None

    @property
    def reason(self) -> str:
        """How it ended, in the words of Finish."""
        return self._reason or "end"

    @property
    def generated(self) -> int | None:
        """Tokens by the server's word; None where it said nothing that counts them."""
        if self.usage is not None and self.usage.generated is not None and self.reason not in ("stop", "loop"):
            return self.usage.generated
        # "length" may also mean that the server's own context was full: then far fewer came.
        full = self.reason == "length" and self.deltas >= _NEARLY * self.max_tokens
        return self.max_tokens if full else None

    def _end(self, reason: str) -> None:
        self._reason = self._reason or reason
        self.complete = True

    def _show(self, text: str, at: float) -> Iterator[Piece]:
        if text:
            self.text += text
            yield Piece(text, self.deltas, at)

    def _circles(self, text: str) -> bool:
        return self._loops.add(self._words.setdefault(text, len(self._words)))
