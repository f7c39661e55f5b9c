"""Fewer threads while others compute, all of them again afterwards, and next to nothing lost when nobody does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.engines.pace import LATEST, Pace

QUIET = {2: 6.0, 1: 7.0}
BUSY = {2: 200.0, 1: 9.0}


def play(pace: Pace, costs: dict[int, float], tokens: int) -> float:
    """What so many tokens take together."""
    total = 0.0
    for _ in range(tokens):
        seconds = costs[pace.threads]
        total += seconds
        pace.took(seconds)
    return total


def test_a_quiet_machine_loses_next_to_nothing() -> None:
    assert play(Pace(2), QUIET, 400) <= 400 * QUIET[2] * 1.01


def test_a_busy_machine_from_the_start_is_noticed_within_an_answer() -> None:
    pace = Pace(2)
    play(pace, BUSY, 40)
    assert pace.threads == 1
    assert play(pace, BUSY, 200) < 200 * BUSY[2] / 4


def test_a_machine_that_becomes_busy_and_quiet_again() -> None:
    pace = Pace(2)
    play(pace, QUIET, 100)
    assert pace.threads == 2
    play(pace, BUSY, 30)
    assert pace.threads == 1
    play(pace, QUIET, LATEST + 40)
    assert pace.threads == 2


def test_slow_first_tokens_and_a_little_noise_are_no_contention() -> None:
    pace = Pace(2)
    for at in range(200):
        cold = 4.0 if at < 8 else 1.0
        noise = 1.5 if at % 5 == 0 else 1.0
        pace.took(QUIET[pace.threads] * cold * noise)
    assert pace.threads == 2


def test_one_slow_token_changes_nothing() -> None:
    pace = Pace(2)
    play(pace, QUIET, 50)
    pace.took(500.0)
    play(pace, QUIET, 20)
    assert pace.threads == 2


@given(st.integers(1, 16), st.lists(st.floats(0.001, 10.0), max_size=300))
def test_it_is_always_one_of_two_numbers(threads: int, seconds: list[float]) -> None:
    pace = Pace(threads)
    for one in seconds:
        assert pace.took(one) in (threads, max(1, threads // 2))
