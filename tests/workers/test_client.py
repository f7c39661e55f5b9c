"""The client against misbehaving workers: each failure becomes one error in words, and the next request works."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import psutil
import pytest

from desktop_rag.errors import Cancelled, DesktopRagError, EngineError, ModelError, StoreError
from desktop_rag.workers import client
from desktop_rag.workers.client import WorkerClient

if TYPE_CHECKING:
    from pathlib import Path

    from tests.workers.conftest import MakeClient

PATIENCE = 20.0  # a bound to detect a hang, not a measurement


def refused(call: Callable[[], object], family: type[DesktopRagError], code: str) -> DesktopRagError:
    with pytest.raises(family) as caught:
        call()
    assert caught.value.code == code
    assert caught.value.message.endswith(".")
    return caught.value


def gone(pid: int | None) -> bool:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if pid is None or not psutil.pid_exists(pid):
            return True
        time.sleep(0.02)
    return False


def test_events_arrive_in_order_and_the_last_is_done(fake: MakeClient) -> None:
    worker = fake("good")
    events = list(worker.stream("echo", value=3))
    assert [event["event"] for event in events] == ["echo", "done"]
    assert events[0]["value"] == 3
    assert worker.hello is not None
    assert worker.hello["pid"] == worker.pid == worker.call("echo")["pid"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize("name", ["SIGABRT", "SIGSEGV", "SIGKILL"])
def test_a_crash_names_its_signal_and_repeats_nothing_of_stderr(fake: MakeClient, name: str) -> None:
    worker = fake("good")
    error = refused(lambda: worker.call("die", signal=name), EngineError, "crashed")
    assert signal.Signals[name].name in error.message
    assert error.retryable
    assert "line " not in str(error.to_payload()), "libraries may quote a document there"


def test_a_crash_of_our_own_names_its_places(fake: MakeClient) -> None:
    error = refused(lambda: fake("good").call("break"), EngineError, "crashed")
    assert error.details == {"places": ["loop.py:7 step" for _ in range(8)]}


def test_leaving_in_the_middle_of_a_request_is_a_crash_with_its_code(fake: MakeClient) -> None:
    assert "code 3" in refused(lambda: fake("good").call("leave"), EngineError, "crashed").message


def test_after_a_crash_the_next_request_starts_a_new_process(fake: MakeClient) -> None:
    worker = fake("good")
    states: list[str] = []
    worker.on_state = states.append
    before = worker.call("echo")["pid"]
    refused(lambda: worker.call("die", signal="SIGKILL"), EngineError, "crashed")
    assert worker.hello is None, "a process that is gone speaks for itself no more"
    assert worker.call("echo")["pid"] != before
    worker.close()
    assert states == ["starting", "ready", "crashed", "starting", "ready", "stopped"]


def test_restarts_back_off_further_with_every_crash(fake: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = fake("stillborn")
    pauses: list[float] = []

    class Watched(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout or 0.0)
            return False

    monkeypatch.setattr(worker, "_closed", Watched())
    for _ in range(len(client.BACK_OFF) + 1):
        refused(lambda: worker.call("echo"), EngineError, "crashed")
    assert pauses == [*client.BACK_OFF, client.BACK_OFF[-1]]


def test_closing_does_not_wait_for_the_back_off(fake: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "BACK_OFF", (0.0, 600.0))
    worker = fake("stillborn")
    refused(lambda: worker.call("echo"), EngineError, "crashed")
    caught: list[DesktopRagError] = []

    def try_again() -> None:
        try:
            worker.call("echo")
        except DesktopRagError as error:
            caught.append(error)

    thread = threading.Thread(target=try_again)
    thread.start()
    worker.close()
    thread.join(PATIENCE)
    assert [error.code for error in caught] == ["start_failed"]


def test_a_worker_without_signs_of_life_is_hung_and_ended(fake: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "HUNG_SECONDS", 0.3)
    worker = fake("good")
    events = worker.stream("hang")
    assert next(events)["event"] == "begun"
    pid = worker.pid
    error = refused(lambda: next(events), EngineError, "hung")
    assert error.retryable
    assert gone(pid)
    assert worker.call("echo")["pid"] != pid


def test_a_worker_that_never_greets_is_a_failed_start(fake: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "START_SECONDS", 0.3)
    worker = fake("mute")
    worker.start()
    pid = worker.pid
    refused(lambda: worker.call("echo"), EngineError, "start_failed")
    assert gone(pid)


def test_a_start_that_takes_long_and_says_so_is_waited_for(fake: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "START_SECONDS", 1.0)
    monkeypatch.setattr(client, "LOOK_SECONDS", 0.05)
    worker, states = fake("upgrading"), list[str]()
    worker.on_state = states.append
    assert worker.call("echo", value=1)["event"] == "done"
    assert states == ["starting", "upgrading", "ready"]


def test_a_start_that_fails_tells_its_own_error(fake: MakeClient) -> None:
    error = refused(lambda: fake("fatal").call("echo"), StoreError, "locked")
    assert (error.message, error.hint) == ("Open elsewhere.", "Close it.")


def test_a_start_that_failed_once_can_succeed_the_next_time(fake: MakeClient) -> None:
    worker = fake("fatal", "good")
    refused(lambda: worker.call("echo"), StoreError, "locked")
    assert worker.call("echo", value=1)["event"] == "done"


def test_a_program_that_is_not_there_is_a_failed_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(client, "worker_command", lambda role: [str(tmp_path / "nothing")])
    refused(lambda: WorkerClient("fake", []).call("echo"), EngineError, "start_failed")


def test_another_version_is_a_protocol_mismatch(fake: MakeClient) -> None:
    refused(lambda: fake("other-version").call("echo"), EngineError, "protocol_mismatch")


def test_noise_and_garbage_on_stdout_are_ignored(fake: MakeClient) -> None:
    worker = fake("noise")
    for value in (1, 2):
        events = list(worker.stream("echo", value=value))
        assert [(e["event"], e.get("value")) for e in events] == [("echo", value), ("done", None)]


def test_a_worker_s_own_error_arrives_whole(fake: MakeClient) -> None:
    error = refused(lambda: fake("good").call("fail"), ModelError, "truncated")
    assert error.hint == "Get it again."


def test_closing_the_stream_cancels_and_a_worker_that_obeys_lives_on(fake: MakeClient) -> None:
    worker = fake("good", disposable=True)
    events = worker.stream("wait")
    next(events)
    pid = worker.pid
    events.close()
    assert worker.call("echo")["pid"] == pid


def test_cancelling_one_operation_leaves_the_others_alone(fake: MakeClient) -> None:
    worker = fake("good")
    events = worker.stream("wait")
    next(events)
    (inbox,) = worker.ready().open.values()
    worker.cancel("add")
    worker.call("echo")
    assert inbox.empty(), "what nobody asked to stop was stopped"
    worker.cancel("wait")
    with pytest.raises(Cancelled):
        next(events)
    assert worker.ready().asked == {}


def test_a_disposable_worker_that_does_not_obey_is_killed(fake: MakeClient) -> None:
    worker = fake("stubborn", disposable=True)
    events = worker.stream("wait")
    next(events)
    pid = worker.pid
    events.close()
    assert gone(pid)
    assert worker.call("echo")["pid"] != pid


def test_a_worker_that_holds_data_is_never_killed_by_cancel(fake: MakeClient) -> None:
    worker = fake("stubborn")
    events = worker.stream("wait")
    next(events)
    pid = worker.pid
    events.close()
    assert worker.call("echo")["pid"] == pid


def test_killing_ends_open_requests_and_frees_the_process(fake: MakeClient) -> None:
    worker = fake("good")
    events = worker.stream("hang")
    next(events)
    pid = worker.pid
    worker.kill()
    refused(lambda: next(events), EngineError, "crashed")
    assert gone(pid)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_killing_asks_first_and_does_not_wait_for_a_deaf_process(fake: MakeClient, tmp_path: Path) -> None:
    worker = fake("good")
    for op in ("tidy", "deaf"):
        events = worker.stream(op, mark=str(tmp_path / "tidied"))
        next(events)
        pid = worker.pid
        worker.kill()
        events.close()
        assert gone(pid), op
    assert (tmp_path / "tidied").read_text() == "SIGTERM"


def test_a_process_that_ends_before_a_request_is_registered_is_noticed(fake: MakeClient) -> None:
    worker = fake("good")
    process = worker.ready()
    process.child.kill()
    assert process.ended.wait(PATIENCE)
    worker.ready = lambda: process  # type: ignore[method-assign]
    refused(lambda: worker.call("echo"), EngineError, "crashed")


def test_a_closed_client_starts_nothing(fake: MakeClient) -> None:
    worker = fake("good")
    pid = worker.call("echo")["pid"]
    worker.close()
    assert gone(pid)
    assert worker.pid is None
    refused(lambda: worker.call("echo"), EngineError, "start_failed")


def test_large_messages_go_both_ways(fake: MakeClient) -> None:
    text = "ä\n" * 2_000_000
    echo, done = fake("good").stream("echo", text=text)
    assert echo["text"] == text
    assert done["size"] > len(text)


def test_requests_from_many_threads_do_not_mix(fake: MakeClient) -> None:
    worker = fake("noise")
    seen: dict[int, list[int]] = {}

    def ask(number: int) -> None:
        seen[number] = [next(iter(worker.stream("echo", value=number * 100 + i)))["value"] for i in range(10)]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert seen == {number: [number * 100 + i for i in range(10)] for number in range(8)}


def test_cancelled_is_its_own_kind(fake: MakeClient) -> None:
    worker = fake("good")
    events = worker.stream("wait")
    next(events)
    process = worker.ready()
    process.send({"op": "cancel", "target": next(iter(process.open))})
    with pytest.raises(Cancelled):
        next(events)
