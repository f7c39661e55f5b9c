"""What `bench --targets` calls painting is the window's own road: task, signal, session, card, paint event."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from desktop_rag.errors import EngineError
from desktop_rag.gui.bench.painting import paint_stream, painted
from tests.gui.script import token


class Script:
    """Tokens that remember when they were asked for."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.asked: list[float] = []

    def __iter__(self) -> Iterator[dict[str, Any]]:
        assert threading.current_thread() is not threading.main_thread(), "the window would stand still"
        for place in range(self.number):
            self.asked.append(time.perf_counter())
            yield token(f"word{place} ", place)
        yield {"event": "done", "usage": {}}


@pytest.mark.parametrize("number", [1, 2, 300])
def test_no_token_is_painted_before_it_came_and_the_last_one_is(qapp: QApplication, number: int) -> None:
    script = Script(number)
    first, last = painted(script)
    assert len(script.asked) == number
    assert script.asked[0] <= first <= last
    assert script.asked[-1] <= last


def test_the_time_is_the_one_between_first_and_last(qapp: QApplication) -> None:
    before = time.perf_counter()
    assert 0 <= paint_stream(Script(50)) <= time.perf_counter() - before


@pytest.mark.parametrize("before", [0, 3])
def test_an_error_of_the_worker_is_raised(qapp: QApplication, before: int) -> None:
    def broken() -> Iterator[dict[str, Any]]:
        yield from (token("word ", place) for place in range(before))
        raise EngineError("crashed", "The chat process stopped unexpectedly.")

    with pytest.raises(EngineError, match="stopped unexpectedly"):
        paint_stream(broken())


def test_an_empty_answer_cannot_be_timed(qapp: QApplication) -> None:
    with pytest.raises(EngineError, match="nothing that could be painted"):
        paint_stream([{"event": "token", "text": "  "}, {"event": "done"}])


def test_nothing_is_left_running(qapp: QApplication) -> None:
    before = len(qapp.topLevelWidgets())
    threads = threading.active_count()
    paint_stream(Script(3))
    assert len(qapp.topLevelWidgets()) == before
    assert threading.active_count() == threads
