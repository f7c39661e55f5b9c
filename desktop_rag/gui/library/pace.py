"""How fast a document is read, and how long the rest will take; measured, and silent while there is little to measure.

Pure: whoever uses it says what time it is.
"""

from __future__ import annotations

from collections import deque

LATEST = 16
LEAST_SAMPLES = 3
LEAST_SECONDS = 2.0
LEAST_PAGES = 2


class Pace:
    """Told how many pages of one document have been read; the rate is that of the latest of them."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque(maxlen=LATEST)

    def read(self, pages: int, at: float) -> None:
        """`pages` have been read at the time `at`. Fewer than before: the document is read anew."""
        if self._samples and (pages < self._samples[-1][1] or at < self._samples[-1][0]):
            self._samples.clear()
        if not self._samples or pages > self._samples[-1][1]:
            self._samples.append((at, pages))

    def rate(self, at: float) -> float | None:
        """Pages per second over the latest pages, the wait since the last of them counted; None while it is unsure."""
        if len(self._samples) < LEAST_SAMPLES:
            return None
        (since, first), (_, last) = self._samples[0], self._samples[-1]
        seconds = at - since
        return (last - first) / seconds if seconds >= LEAST_SECONDS and last - first >= LEAST_PAGES else None

    def left(self, total: int | None, at: float) -> float | None:
        """Seconds until `total` pages are read; None while it is unsure or nobody knows how many there are."""
        rate = self.rate(at)
        if rate is None or not total:
            return None
        return max(0, total - self._samples[-1][1]) / rate
