"""Cancel in the middle of a request: it counts only inside the phase it is meant for, and a failure is no figure."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from desktop_rag.errors import Cancelled, DesktopRagError, EngineError
from desktop_rag.evaluation import ingest_cancelling
from desktop_rag.evaluation.ingest_cancelling import Phase, length, stopped
from desktop_rag.evaluation.ingest_phases import phases
from desktop_rag.evaluation.ingest_place import Sizes, place
from desktop_rag.workers.crew import Workers

PHASE = Phase("b", "add", dict, lambda e: e["event"] == "b", lambda e: e["event"] == "c")
WAIT_SECONDS = 20.0


class Obedient:
    """A worker that tells some events and then works until it is cancelled, or ends at once.

    A deaf one comes to its end as if nobody had cancelled it.
    """

    pid = None

    def __init__(
        self, *events: str, ends: bool = False, deaf: bool = False, error: DesktopRagError | None = None
    ) -> None:
        self.events = events
        self.ends = ends
        self.deaf = deaf
        self.error = error or Cancelled()
        self.cancelled = threading.Event()

    def stream(self, op: str, **args: Any) -> Iterator[dict[str, Any]]:
        for event in self.events:
            yield {"event": event}
        if self.ends:
            return
        assert self.cancelled.wait(WAIT_SECONDS)
        if not self.deaf:
            raise self.error

    def call(self, op: str, **args: Any) -> dict[str, Any]:
        return {}

    def cancel(self) -> None:
        self.cancelled.set()

    def close(self) -> None:
        self.cancelled.set()


def test_a_cancel_inside_the_phase_is_a_round() -> None:
    one = stopped(Obedient("a", "b"), PHASE, 0.0)
    assert one is not None
    assert 0 <= one.value < WAIT_SECONDS
    assert one.parts == {"phase": "b", "after_s": 0.0}


@pytest.mark.parametrize(
    "worker",
    [Obedient("a", "b", "c"), Obedient("a", "b", ends=True), Obedient("a", ends=True)],
    ids=["the next phase had begun", "the request had ended", "the phase never came"],
)
def test_a_cancel_outside_the_phase_is_no_round(worker: Obedient) -> None:
    assert stopped(worker, PHASE, 0.05) is None


def test_work_that_ends_instead_of_stopping_is_a_round_as_well() -> None:
    assert stopped(Obedient("b", deaf=True), PHASE, 0.0) is not None


def test_a_phase_may_begin_with_the_request() -> None:
    assert stopped(Obedient(), Phase("a", "sync", dict, None, PHASE.over), 0.0) is not None


def test_another_failure_is_told() -> None:
    with pytest.raises(EngineError, match="It broke"):
        stopped(Obedient("b", error=EngineError("crashed", "It broke.")), PHASE, 0.0)


def test_work_that_never_stops_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_cancelling, "_PATIENCE_SECONDS", 0.05)
    deaf = Obedient("b")
    monkeypatch.setattr(deaf, "cancel", lambda: None)
    with pytest.raises(EngineError, match="did not stop"):
        stopped(deaf, PHASE, 0.0)
    deaf.close()


def test_the_length_of_a_phase_gives_its_moments() -> None:
    seconds = length(Obedient("a", "b", "c"), PHASE)
    assert seconds >= 0
    assert PHASE.at(10.0, (0.1, 0.5)).moments == (1.0, 5.0)


def test_a_phase_that_never_comes_has_no_length() -> None:
    with pytest.raises(EngineError, match="never came"):
        length(Obedient("a", ends=True), PHASE)


def test_the_signs_are_those_of_the_real_library() -> None:
    reached = {}
    with place(Workers, Sizes(pages=40)) as own:
        own.crew.library.call("folders")
        for phase in phases(own):
            if phase.name == "reading a scan":
                break
            reached[phase.name] = stopped(own.crew.library, phase, 0.0)
    assert list(reached) == ["hashing a large file", "reading a PDF", "after its last page"]
    assert None not in reached.values()
