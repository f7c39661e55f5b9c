"""Many retrievers at once: who is dead or slow is named, and the others answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from desktop_rag.retrieval.deep import Member, gather, rewritten


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Lets slow members go at the end: no thread may be left."""
    event = threading.Event()
    yield event
    event.set()
    for thread in threading.enumerate():
        if thread.name.startswith("deep "):
            thread.join(10)


def broken() -> dict[int, float]:
    raise OSError("killed")


def test_a_killed_and_a_slow_member_are_named_and_the_others_answer(release: threading.Event) -> None:
    interrupted = threading.Event()

    def slow() -> dict[int, float]:
        release.wait(60)
        return {9: 1.0}

    members = [
        Member("words", lambda: {1: 2.0, 2: 1.0}),
        Member("meaning", broken),
        Member("another index", slow),
        Member("nothing to say", dict),
    ]
    gathered = gather(members, 0.3, interrupted.set)
    assert gathered.found == {"words": {1: 2.0, 2: 1.0}, "nothing to say": {}}
    assert [(r.name, r.state, r.hits) for r in gathered.reports] == [
        ("words", "answered", 2),
        ("meaning", "failed", 0),
        ("another index", "late", 0),
        ("nothing to say", "answered", 0),
    ]
    assert gathered.notes == [
        "“meaning” failed and was left out.",
        "“another index” was not done in time and was left out.",
    ]
    assert interrupted.is_set()


def test_members_work_at_the_same_time_and_nobody_waits_for_the_deadline() -> None:
    meeting = threading.Barrier(4, timeout=30)

    def find() -> dict[int, float]:
        # Passes only when all four are at work at once.
        meeting.wait()
        return {1: 1.0}

    started = time.monotonic()
    gathered = gather([Member(str(n), find) for n in range(4)], 3600.0)
    assert [r.state for r in gathered.reports] == ["answered"] * 4
    assert time.monotonic() - started < 3600


def test_without_members_there_is_nothing() -> None:
    assert gather([], 10.0).reports == []


@pytest.mark.parametrize(
    ("question", "earlier", "said"),
    [
        ("How long is the warranty?", ["What about the pump P-7?"], "long warranty pump P-7"),
        ("What did [PERSON_3] pay?", [], "[PERSON_3] pay"),
        ("And the rent?", ["When is the rent due?", "What is the deposit?"], "rent deposit due"),
        ("the of and", [], ""),
        ("", [], ""),
    ],
)
def test_other_words_are_those_of_content(question: str, earlier: list[str], said: str) -> None:
    assert rewritten(question, earlier) == said
