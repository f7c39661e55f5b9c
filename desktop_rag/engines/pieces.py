"""From token bytes to text: characters split over tokens, and answers that run in circles."""

from __future__ import annotations

import codecs
from collections.abc import Sequence

_SHORTEST_LOOP = 4
_LONGEST_LOOP = 64


class TextStream:
    """Bytes in, complete characters out; broken bytes become U+FFFD, never an exception."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def add(self, data: bytes) -> str:
        """The characters completed by these bytes."""
        return self._decoder.decode(data)

    def end(self) -> str:
        """What was left open."""
        return self._decoder.decode(b"", final=True)


def runs_in_circles(tokens: Sequence[int]) -> bool:
    """Whether the answer's end is one stretch said three times over (twice for long stretches)."""
    for length in range(_SHORTEST_LOOP, min(_LONGEST_LOOP, len(tokens) // 2) + 1):
        times = 2 if length >= 24 else 3
        if len(tokens) < length * times:
            continue
        last = tokens[-length:]
        if all(tokens[-length * (i + 1) : len(tokens) - length * i] == last for i in range(1, times)):
            return True
    return False
