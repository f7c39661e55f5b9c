"""How many threads decode at this moment: all of them, or fewer while other programs keep the cores busy.

Threads that compute one token together wait for each other hundreds of times; when another program
takes one of their cores, all of them wait for it, and two threads become thirty times slower than
one. What each choice takes is measured as tokens come, so nothing needs to be known of the others.
"""

from __future__ import annotations

from collections import deque
from statistics import median

SLOW = 2.0
PATIENCE = 4
TRIAL = 3
SOONEST, LATEST = 32, 256
# The first answer of a process compares once, after so many tokens: it may have begun on a busy machine.
FIRST_LOOK = 12
# Contention costs a factor of many; less than this is noise, or weights that are read for the first time.
CLEAR_WIN = 0.6
# What the best time may lose a token: contexts grow, and with them what a token takes.
_FORGET = 1.001


class Pace:
    """Tell it what every token took with `threads`; it says how many the next one shall have."""

    def __init__(self, threads: int) -> None:
        self.full = threads
        self.fewer = max(1, threads // 2)
        self.threads = threads
        self._best: float | None = None
        self._slow = 0
        self._since = 0
        self._wait = SOONEST
        self._compared = False
        self._trial: list[float] = []
        self._recent: deque[float] = deque(maxlen=4)

    def took(self, seconds: float) -> int:
        """One token took so long with `threads`; returns `threads` for the next one."""
        if self.full == self.fewer:
            return self.threads
        self._since += 1
        if self._trial or self._due():
            self._try_other(seconds)
        else:
            self._watch(seconds)
        return self.threads

    def _due(self) -> bool:
        """Whether it is time to see what the other choice takes."""
        if self.threads == self.full:
            return (not self._compared and self._since >= FIRST_LOOK) or self._slow >= PATIENCE
        return self._since >= self._wait

    def _watch(self, seconds: float) -> None:
        self._recent.append(seconds)
        if self.threads != self.full:
            return
        self._best = seconds if self._best is None else min(self._best * _FORGET, seconds)
        self._slow = self._slow + 1 if seconds > SLOW * self._best else max(0, self._slow - 1)

    def _try_other(self, seconds: float) -> None:
        """Some tokens with the other choice; the first of them pays for the change and does not count."""
        if not self._trial:
            self._recent.append(seconds)
            self._switch()
        self._trial.append(seconds)
        if len(self._trial) < TRIAL + 2:
            return
        other, before = median(self._trial[2:]), median(self._recent)
        self._trial = []
        self._compared = True
        if other >= before * (CLEAR_WIN if self.threads == self.fewer else 1.0):
            self._switch()
            self._wait = min(2 * self._wait, LATEST)
        else:
            self._wait = SOONEST
        self._since = self._slow = 0
        self._recent.clear()

    def _switch(self) -> None:
        self.threads = self.fewer if self.threads == self.full else self.full
