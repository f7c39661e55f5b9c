"""Two works at once: while native code of one runs in another thread, the other's steps go on in this one."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from typing import Any, TypeVar

_AT_ONCE = 2
# Where nothing but waiting is left, cancel points still come this often.
_PATIENCE_SECONDS = 0.02

Found = TypeVar("Found")
Event = dict[str, Any]
Waiting = Generator[Event | Future[Any] | None, None, Found]
"""The steps of a work; a step that is a future says that there is nothing to do before that is done."""


def awaited(pool: Executor, work: Callable[[], Found]) -> Waiting[Found]:
    """The result of a call that another thread makes."""
    future = pool.submit(work)
    while not future.done():
        yield future
    return future.result()


def overlapped(works: Iterator[Waiting[None]]) -> Generator[Event | None, None, None]:
    """All works in their order; where one waits, the next begins and goes on until the first can.

    A work is asked for when those before it wait or have ended. Closing this closes those that run.
    """
    running: list[_Lane] = []
    try:
        while True:
            if len(running) < _AT_ONCE and all(lane.waits for lane in running):
                running += [_Lane(steps) for steps in [next(works, None)] if steps is not None]
            if not running:
                return
            # What began first ends first.
            lane = next((lane for lane in running if not lane.waits), None)
            if lane is None:
                wait([lane.future for lane in running if lane.future], _PATIENCE_SECONDS, FIRST_COMPLETED)
                yield None
                continue
            try:
                step = next(lane.steps)
            except StopIteration:
                running.remove(lane)
                continue
            if isinstance(step, Future):
                lane.future = step
            else:
                yield step
    finally:
        for lane in running:
            lane.steps.close()


@dataclass(slots=True)
class _Lane:
    steps: Waiting[None]
    future: Future[Any] | None = None

    @property
    def waits(self) -> bool:
        return self.future is not None and not self.future.done()
