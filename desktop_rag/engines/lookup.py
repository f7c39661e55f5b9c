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
_GUESSED_COST = {1: 1.0, 4: 3.0, 8: 4.5, 16: 7.0}
# How likely the next token is right, by the number of tokens that matched.
_CHANCES = {3: 0.55, 5: 0.75, 8: 0.9, 12: 0.97}
_SUREST = 0.995
_PRIOR = 20.0
_MEMORY = 400.0
_RECENT = 32.0
# Less expected gain than this is lost in what drafting itself costs.
_WORTH = 1.2
_FIRST_CREDIT = 4.0
_EARNED_CREDIT = 16.0
_CREDIT_PER_TOKEN = 0.02
_CREDIT_PER_RIGHT = 0.35
_LAST = 6


class TokenIndex:
    """Where every run of three tokens stood: the last few places of each."""

    def __init__(self, tokens: Iterable[int]) -> None:
        self.tokens: list[int] = []
        self._from = 0
        self._places: dict[tuple[int, ...], tuple[int, ...]] = {}
        for token in tokens:
            self.add(token)

    def answer_begins(self) -> None:
        """What follows is said by the model: only that can match, not the chat template's words around it."""
        self._from = len(self.tokens)

    def add(self, token: int) -> None:
        """One more token at the end."""
        self.tokens.append(token)
        # The run that ends just before the newest token: one that ends with it would find itself.
        if len(self.tokens) > SHORTEST_MATCH:
            run = tuple(self.tokens[-SHORTEST_MATCH - 1 : -1])
            place = len(self.tokens) - 1
            self._places[run] = (place, *self._places.get(run, ())[: REMEMBERED_PLACES - 1])

    def continuation(self, limit: int) -> tuple[list[int], int]:
        """Up to `limit` tokens that followed the longest earlier match of the end, and that match's length.

        Of equals the most recent; a length of LONGEST_MATCH means at least that.
        """
        places = self._places.get(tuple(self.tokens[-SHORTEST_MATCH:]))
        if not places or limit < 1:
            return [], 0
        length, best = max((self._match(place), place) for place in places)
        return (self.tokens[best : best + limit], length) if length >= SHORTEST_MATCH else ([], 0)

    def _match(self, place: int) -> int:
        """How many tokens before `place` equal those at the end."""
        tokens, end, length = self.tokens, len(self.tokens), 0
        most = min(LONGEST_MATCH, place, end - self._from)
        while length < most and tokens[place - 1 - length] == tokens[end - 1 - length]:
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


class Experience:
    """What one loaded model taught about guessing, over all its answers: what drafts cost and how often they are right.

    The longer the stretch that matched, the surer its continuation: how sure is learnt for every class
    of lengths, starting from what quoting answers of small models showed.
    """

    def __init__(self) -> None:
        self.costs = Costs()
        # Tokens that were right, and all that were looked at, by class of match length.
        self._seen = {start: [_PRIOR * chance, _PRIOR] for start, chance in _CHANCES.items()}

    def chance(self, match: int) -> float:
        """How likely each further token is right after so many matched."""
        right, all_ = self._seen[_class_of(match)]
        return right / all_

    def learn(self, match: int, drafted: int, accepted: int) -> None:
        """A draft after so many matched tokens had its first `accepted` confirmed."""
        seen = self._seen[_class_of(match)]
        seen[0] += accepted
        seen[1] += min(accepted + 1, drafted)
        if seen[1] > _MEMORY:
            # What was long ago counts for less: another text, another habit.
            seen[0], seen[1] = seen[0] / 2, seen[1] / 2

    def gain(self, match: int, size: int, quoting: float = 0.0) -> float:
        """Tokens expected of a draft of `size`, over what computing it costs: above 1 it pays.

        `quoting` is the share of guesses that were right in this very answer: one that quotes goes on quoting,
        also after a word of its own.
        """
        chance = min(max(self.chance(match), quoting), _SUREST)
        return (1 - chance ** (size + 1)) / (1 - chance) / self.costs.of(1 + size)


class PromptLookup:
    """Proposes drafts for one answer where they are expected to pay, and learns from what became of them.

    Every draft is also paid from a credit that plain tokens earn slowly and right drafts quickly: where
    expectations are wrong, guessing still costs no more than a few hundredths of the answer's time.
    """

    def __init__(self, prompt: Sequence[int], experience: Experience | None = None) -> None:
        self._index = TokenIndex(prompt)
        self._index.answer_begins()
        self._experience = experience or Experience()
        self._credit = _FIRST_CREDIT
        self._match = 0
        self._unguessed: int | None = None
        self._right, self._seen = 0.0, 0.0
        self.drafted = 0
        self.accepted = 0

    def add(self, token: int) -> None:
        """One more token was said; had it been guessed, the guess would have been right or wrong: that teaches too."""
        if self._unguessed is not None:
            right = token == self._unguessed
            self._experience.learn(self._match, 1, int(right))
            self._credit = min(_EARNED_CREDIT, self._credit + _CREDIT_PER_RIGHT * right)
            self._unguessed = None
        self._index.add(token)

    def draft(self, room: int, allowed: Callable[[int], bool] = bool) -> list[int]:
        """Tokens that may come next, none if it would not pay; at most `room`, of a number that is `allowed`."""
        found, self._match = self._index.continuation(min(room, DRAFTS[-1]))
        if not found:
            return []
        gains = {
            size: self._experience.gain(self._match, size, self._quoting())
            for size in DRAFTS
            if size <= len(found) and self._experience.costs.of(1 + size) - 1 <= self._credit and allowed(size)
        }
        best = max(gains, key=gains.__getitem__, default=0)
        if best and gains[best] >= _WORTH:
            return found[:best]
        self._unguessed = found[0]
        return []

    def checked(self, drafted: int, accepted: int, seconds: float) -> None:
        """A computation of 1 + `drafted` tokens confirmed `accepted` of them."""
        costs = self._experience.costs
        costs.measured(1 + drafted, seconds)
        if not drafted:
            self._credit = min(_EARNED_CREDIT, self._credit + _CREDIT_PER_TOKEN)
            return
        self.drafted += drafted
        self.accepted += accepted
        self._credit = min(_EARNED_CREDIT, self._credit + 1 + accepted - costs.of(1 + drafted))
        self._experience.learn(self._match, drafted, accepted)
        self._right += accepted
        self._seen += min(accepted + 1, drafted)
        if self._seen > _RECENT:
            self._right, self._seen = self._right / 2, self._seen / 2

    def _quoting(self) -> float:
        return self._right / self._seen if self._seen >= DRAFTS[1] else 0.0


def _class_of(match: int) -> int:
    return max(start for start in _CHANCES if start <= max(match, SHORTEST_MATCH))
