"""Prompt lookup: guess the next tokens by finding where the last few stood before, and guess only while it pays.

After "Prompt Lookup Decoding" (Saxena, https://github.com/apoorvumang/prompt-lookup-decoding): an answer
that quotes its passages repeats stretches of the prompt, and checking k guessed tokens in one
computation costs less than k computations. What that computation costs is measured as it happens.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from statistics import median_low

SHORTEST_MATCH = 3
LONGEST_MATCH = 16
REMEMBERED_PLACES = 4
DRAFTS = (3, 7, 15)

# What a computation of so many tokens costs in single ones, until it has been measured here.
_GUESSED_COST = {1: 1.0, 4: 2.2, 8: 3.6, 16: 6.2}
_CAUTIOUS_MATCH = 5
_MOST_CAUTIOUS_MATCH = 12
_FIRST_CREDIT = 1.5
_EARNED_CREDIT = 8.0
_CREDIT_PER_TOKEN = 0.015
_LAST = 6


class TokenIndex:
    """Where every run of three tokens stood: the last few places of each."""

    def __init__(self, tokens: Iterable[int]) -> None:
        self.tokens: list[int] = []
        self._places: dict[tuple[int, ...], tuple[int, ...]] = {}
        for token in tokens:
            self.add(token)

    def add(self, token: int) -> None:
        """One more token at the end."""
        self.tokens.append(token)
        # The run that ends just before the newest token: one that ends with it would find itself.
        if len(self.tokens) > SHORTEST_MATCH:
            run = tuple(self.tokens[-SHORTEST_MATCH - 1 : -1])
            place = len(self.tokens) - 1
            self._places[run] = (place, *self._places.get(run, ())[: REMEMBERED_PLACES - 1])

    def continuation(self, limit: int, at_least: int = SHORTEST_MATCH) -> list[int]:
        """Up to `limit` tokens that followed the longest earlier match of the end; of equals the most recent.

        None where fewer than `at_least` tokens match.
        """
        places = self._places.get(tuple(self.tokens[-SHORTEST_MATCH:]))
        if not places or limit < 1:
            return []
        best = max(places, key=lambda place: (self._match(place), place))
        return self.tokens[best : best + limit] if self._match(best) >= at_least else []

    def _match(self, place: int) -> int:
        """How many tokens before `place` equal those at the end."""
        tokens, end, length = self.tokens, len(self.tokens), 0
        while length < min(LONGEST_MATCH, place) and tokens[place - 1 - length] == tokens[end - 1 - length]:
            length += 1
        return length


class Costs:
    """What a computation of n tokens costs: the middle of the last few, the guess being one of them.

    The middle, because a machine that was busy with something else for a moment must not make drafts
    look dear for the rest of the answer.
    """

    def __init__(self) -> None:
        self._seconds: dict[int, deque[float]] = {}

    def measured(self, size: int, seconds: float) -> None:
        """One computation of `size` tokens took so long."""
        self._seconds.setdefault(size, deque(maxlen=_LAST)).append(seconds)

    def of(self, size: int) -> float:
        """In single computations."""
        guess = _GUESSED_COST.get(size, float(size))
        known, singles = self._seconds.get(size), self._seconds.get(1)
        if size == 1 or not known or not singles:
            return guess
        single = median_low(singles)
        return median_low([guess, *(seconds / single for seconds in known)])


class PromptLookup:
    """Proposes drafts for one answer and learns from what became of them.

    Drafts grow with success (3, 7, 15 tokens, so that computations are of 4, 8 and 16) and shrink with
    failure, after which a longer match is asked for. Every draft is paid from a credit that plain tokens
    earn slowly and good drafts quickly: guessing never costs more than a few hundredths of the
    answer's time.
    """

    def __init__(self, prompt: Sequence[int]) -> None:
        self._index = TokenIndex(prompt)
        self._costs = Costs()
        self._step = 0
        self._needed = _CAUTIOUS_MATCH
        self._credit = _FIRST_CREDIT
        self.drafted = 0
        self.accepted = 0

    def add(self, token: int) -> None:
        """One more token was said."""
        self._index.add(token)

    def draft(self, room: int, allowed: Callable[[int], bool] = bool) -> list[int]:
        """Tokens that may come next, none if it would not pay; at most `room`, of a number that is `allowed`."""
        found = self._index.continuation(min(room, DRAFTS[self._step]), self._needed)
        for size in reversed(DRAFTS[: self._step + 1]):
            if size <= len(found) and allowed(size) and self._worth(size):
                return found[:size]
        return []

    def checked(self, drafted: int, accepted: int, seconds: float) -> None:
        """A computation of 1 + `drafted` tokens confirmed `accepted` of them."""
        self._costs.measured(1 + drafted, seconds)
        if not drafted:
            self._credit = min(_EARNED_CREDIT, self._credit + _CREDIT_PER_TOKEN)
            return
        self.drafted += drafted
        self.accepted += accepted
        self._credit = min(_EARNED_CREDIT, self._credit + 1 + accepted - self._costs.of(1 + drafted))
        if accepted == drafted:
            self._step = min(self._step + 1, len(DRAFTS) - 1)
            self._needed = SHORTEST_MATCH
        elif accepted <= drafted // 2:
            self._step = max(self._step - 1, 0)
            self._needed = min(max(self._needed + 1, _CAUTIOUS_MATCH), _MOST_CAUTIOUS_MATCH)

    def _worth(self, size: int) -> bool:
        """Whether a wholly right draft gains, and a wholly wrong one can be paid."""
        cost = self._costs.of(1 + size)
        return cost < 0.9 * (1 + size) and cost - 1 <= self._credit
