"""From token bytes to text: characters split over tokens, and answers that run in circles."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence

_SHORTEST_LOOP = 4
_LONGEST_LOOP = 64
_LONG_STRETCH = 24


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


class LoopWatch:
    """Says when the end of a growing answer is one stretch said three times over (twice for long stretches).

    For every distance back at which tokens repeat it counts how long they have done so, so that a
    token costs as much as it has equals among the last 64.
    """

    def __init__(self) -> None:
        self._count = 0
        self._places: dict[int, list[int]] = {}
        self._runs: dict[int, int] = {}

    def add(self, token: int) -> bool:
        """Whether the answer runs in circles with this token."""
        now = self._count
        self._count += 1
        places = self._places.setdefault(token, [])
        self._runs = {
            distance: self._runs.get(distance, 0) + 1
            for distance in (now - place for place in places)
            if _SHORTEST_LOOP <= distance <= _LONGEST_LOOP
        }
        places.append(now)
        if len(places) > _LONGEST_LOOP or now - places[0] > _LONGEST_LOOP:
            self._places[token] = [place for place in places if now - place < _LONGEST_LOOP]
        return any(run >= distance * _repeats(distance) for distance, run in self._runs.items())


def runs_in_circles(tokens: Sequence[int]) -> bool:
    """Whether the answer's end is one stretch said three times over (twice for long stretches).

    `LoopWatch` tells the same token by token without looking back each time.
    """
    return any(
        len(tokens) >= length * (_repeats(length) + 1) and _repeats_at_the_end(tokens, length) for length in _lengths()
    )


def _lengths() -> Iterator[int]:
    return iter(range(_SHORTEST_LOOP, _LONGEST_LOOP + 1))


def _repeats(length: int) -> int:
    """How often a stretch must come again to count."""
    return 1 if length >= _LONG_STRETCH else 2


def _repeats_at_the_end(tokens: Sequence[int], length: int) -> bool:
    last = tokens[-length:]
    return all(tokens[-length * (i + 1) : len(tokens) - length * i] == last for i in range(1, _repeats(length) + 1))
