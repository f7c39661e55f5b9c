"""One running computation of CTranslate2 in a thread of its own, its tokens coming through a queue.

The library's own `generate_tokens` waits in a loop that burns a core; a callback into a queue wakes
the reader once a token. The callback's answer ends the computation at the next token. While the
library reads the prompt nothing can end it: then the reader may go, and the thread ends at its first
token.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import Any

from desktop_rag.engines.cancel import Cancellation

# Nothing wakes the reader for a cancellation while the prompt is read: it looks that often, until the first token.
_LOOK_SECONDS = 0.05
_Step = tuple[int, float] | None


class Run:
    """`compute(callback)` in a thread; iterate over (token, moment) until it has ended or was cancelled."""

    def __init__(self, compute: Callable[[Callable[[Any], bool]], object]) -> None:
        self._steps: SimpleQueue[_Step] = SimpleQueue()
        self._stopped = False
        self._began = False
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._work, args=(compute,), name="ctranslate2-run")
        self._thread.start()

    def steps(self, cancelled: Cancellation) -> Iterator[tuple[int, float]]:
        """Tokens with `time.perf_counter()` of their making; ends early when `cancelled` is set.

        Raises what the computation raised.
        """
        while (step := self._next(cancelled)) is not None:
            if cancelled.is_set():
                return
            yield step
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End the computation; waits for it (one token) unless it is still reading the prompt."""
        self._stopped = True
        if self._began:
            self._thread.join()

    def wait(self, cancelled: Cancellation | None = None) -> bool:
        """Wait until the thread has ended; False when `cancelled` was set before."""
        while self._thread.is_alive():
            if cancelled is not None and cancelled.is_set():
                return False
            self._thread.join(_LOOK_SECONDS if cancelled is not None else None)
        return True

    def _next(self, cancelled: Cancellation) -> _Step:
        if self._began:
            return self._steps.get()
        while not cancelled.is_set():
            try:
                step = self._steps.get(timeout=_LOOK_SECONDS)
            except Empty:
                continue
            self._began = True
            return step
        return None

    def _work(self, compute: Callable[[Callable[[Any], bool]], object]) -> None:
        try:
            compute(self._made)
        except (RuntimeError, ValueError, MemoryError) as error:
            self._failure = error
        finally:
            self._steps.put(None)

    def _made(self, step: Any) -> bool:
        """Called by the library for every token; True ends it."""
        if not self._stopped:
            self._steps.put((int(step.token_id), time.perf_counter()))
        return self._stopped
