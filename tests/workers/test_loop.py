"""The inside of a worker, through a real pipe: turns are taken, bugs are contained, nothing but messages gets out."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from desktop_rag.errors import DesktopRagError, DocumentError, UsageError

if TYPE_CHECKING:
    from tests.workers.conftest import MakeClient


def test_a_question_is_answered_while_a_long_operation_runs(small: MakeClient) -> None:
    worker = small()
    work = worker.stream("slow")
    first = next(work)["step"]
    assert worker.call("ping", text="now")["pong"] == "now"
    assert next(work)["step"] > first
    work.close()


def test_two_long_operations_share_the_time(small: MakeClient) -> None:
    worker = small()
    one, two = worker.stream("slow"), worker.stream("slow")
    assert [next(one)["step"] for _ in range(5)] == [next(two)["step"] for _ in range(5)] == [0, 1, 2, 3, 4]
    one.close()
    two.close()


def test_a_cancelled_operation_stops_and_the_worker_serves_on(small: MakeClient) -> None:
    worker = small(disposable=True)
    events = worker.stream("slow")
    next(events)
    pid = worker.pid
    events.close()
    assert worker.call("ping", text="x")["length"] == 1
    assert worker.pid == pid


def test_the_flag_is_seen_inside_work_that_does_not_yield(small: MakeClient) -> None:
    worker = small(disposable=True)
    events = worker.stream("spin")
    next(events)
    pid = worker.pid
    events.close()
    assert worker.call("ping")["length"] == 0
    assert worker.pid == pid, "it had to be killed"


def test_a_refusal_keeps_family_code_and_details(small: MakeClient) -> None:
    with pytest.raises(DocumentError) as caught:
        small().call("refuse")
    assert (caught.value.code, caught.value.hint, caught.value.details) == ("empty", "Look.", {"pages": 0})


@pytest.mark.parametrize("op", ["buggy", "hasty"])
def test_a_bug_ends_its_request_only_and_tells_no_values(small: MakeClient, op: str) -> None:
    worker = small()
    with pytest.raises(DesktopRagError) as caught:
        worker.call(op, secret="Jean Rivera")
    error = caught.value
    assert error.code == "bug"
    assert op in " ".join(error.details["places"])
    assert "Rivera" not in str(error.to_payload())
    pid = worker.pid
    assert worker.call("ping", text="still here")["pong"] == "still here"
    assert worker.pid == pid


def test_an_unknown_operation_is_not_available(small: MakeClient) -> None:
    with pytest.raises(UsageError) as caught:
        small().call("fly")
    assert caught.value.code == "not_available"


def test_what_libraries_print_never_reaches_the_pipe(small: MakeClient) -> None:
    worker = small()
    assert worker.call("printer") == {"event": "done", "fine": True, "id": 1}


def test_large_answers_arrive_whole_while_others_are_served(small: MakeClient) -> None:
    worker = small()
    sizes = (1, 65_536, 3_000_000)
    got: dict[int, int] = {}

    def fetch(size: int) -> None:
        page, _ = worker.stream("big", size=size)
        got[size] = len(page["text"])

    threads = [threading.Thread(target=fetch, args=(size,)) for size in sizes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert got == {size: size for size in sizes}


def test_what_waits_for_nobody_is_answered_while_native_work_goes_on(small: MakeClient) -> None:
    worker = small()
    work = worker.stream("spin")
    assert next(work)["event"] == "begun"
    assert worker.call("look", text="now")["seen"] == "now"
    assert worker.busy
    work.close()


def test_a_bug_beside_ends_its_request_only(small: MakeClient) -> None:
    worker = small()
    with pytest.raises(DesktopRagError) as caught:
        worker.call("look", text=7)
    assert caught.value.code == "bug"
    assert worker.call("look", text="on")["seen"] == "on"


def test_long_operations_rest_while_others_need_the_cores(small: MakeClient) -> None:
    """A step takes 2 ms at least: it rests five times as long. Both run within the same seconds of one machine."""
    one, other = small(), small()
    one.give_way(True)
    resting, working = one.stream("slow"), other.stream("slow")
    next(resting), next(working)
    until = time.monotonic() + 1
    steps = 0
    while time.monotonic() < until:
        steps = next(working)["step"]
    assert one.call("ping", text="now")["pong"] == "now"
    behind = next(event["step"] for event in resting)
    one.give_way(False)
    resting.close()
    working.close()
    assert behind < steps
