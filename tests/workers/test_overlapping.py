"""Two works at once: nothing is lost, nothing waits that could go on, an end in the middle ends both."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from desktop_rag.workers.overlapping import Waiting, awaited, overlapped


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as made:
        yield made


def test_the_next_work_goes_on_while_the_first_waits(pool: ThreadPoolExecutor) -> None:
    let_go = threading.Event()

    def work(name: str) -> Waiting[None]:
        yield {"event": f"{name} read"}
        assert (yield from awaited(pool, let_go.wait))
        yield {"event": f"{name} encoded"}

    seen: list[str] = []
    for step in overlapped(work(name) for name in "abc"):
        if step is not None:
            seen.append(step["event"])
        if len(seen) == 2:
            let_go.set()
    assert seen[:2] == ["a read", "b read"], "the second waited for the first"
    assert sorted(seen) == sorted(f"{name} {part}" for name in "abc" for part in ("read", "encoded"))
    assert [event for event in seen if "encoded" in event] == ["a encoded", "b encoded", "c encoded"]


def test_works_that_never_wait_come_one_after_the_other() -> None:
    def work(name: str) -> Waiting[None]:
        yield {"event": f"{name} 1"}
        yield {"event": f"{name} 2"}

    steps = [step["event"] for step in overlapped(work(name) for name in "ab") if step]
    assert steps == ["a 1", "a 2", "b 1", "b 2"]


def test_a_work_is_asked_for_when_the_one_before_has_done_its_part(pool: ThreadPoolExecutor) -> None:
    """What a document holds inside is known only then."""
    found: list[str] = []

    def first() -> Waiting[None]:
        yield None
        found.append("inside")
        yield from awaited(pool, lambda: None)

    def works() -> Iterator[Waiting[None]]:
        yield first()
        assert found == ["inside"]

    assert list(overlapped(works())).count(None) >= 1


def test_an_error_and_an_early_end_close_what_runs(pool: ThreadPoolExecutor) -> None:
    closed: list[str] = []
    let_go = threading.Event()

    def work(name: str) -> Waiting[None]:
        try:
            yield {"event": name}
            yield from awaited(pool, let_go.wait)
        finally:
            closed.append(name)

    def broken() -> Waiting[None]:
        yield None
        raise ValueError

    steps = overlapped(iter([work("a"), broken()]))
    with pytest.raises(ValueError, match=r"^$"):
        list(steps)
    assert closed == ["a"]
    steps = overlapped(iter([work("b"), work("c")]))
    assert [next(steps), next(steps)] == [{"event": "b"}, {"event": "c"}]
    steps.close()
    let_go.set()
    assert sorted(closed) == ["a", "b", "c"]
