"""Rounds: disturbed ones are repeated, never forgotten, and the value is the median of those that count."""

from __future__ import annotations

from statistics import median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.evaluation import rounds
from desktop_rag.evaluation.promises import TARGETS
from desktop_rag.evaluation.rounds import Round, Target, counted, repeat, unmeasured, verdict

ROUNDS = st.lists(
    st.builds(Round, value=st.floats(0.1, 10), others=st.floats(0, 1), disturbed=st.booleans()), min_size=5, max_size=8
)


def scripted(monkeypatch: pytest.MonkeyPatch, disturbed: list[bool]) -> None:
    """Surroundings that are disturbed as told."""
    states = iter(disturbed)

    class Told:
        def around(self, value: float, parts: dict[str, Any]) -> Round:
            return Round(value, parts, disturbed=next(states))

    monkeypatch.setattr(rounds, "Surroundings", Told)


def test_a_bound_beyond_the_machine_has_another_in_its_place() -> None:
    target = TARGETS["decode_vs_bandwidth_1b"]
    assert target.instead is not None
    bound = [Round(0.7, {target.instead.part: ratio}) for ratio in (0.96, 0.98, 0.99, 0.98, 1.0)]
    result = verdict(target, bound)
    assert (result["met"], result["instead"]["value"]) == (True, 0.98)
    slow = [Round(0.7, {target.instead.part: 0.9}) for _ in range(5)]
    assert not verdict(target, slow)["met"]
    rarely = [Round(0.7, {target.instead.part: 1.0 if at < 2 else None}) for at in range(5)]
    result = verdict(target, rarely)
    assert (result["instead"], result["met"]) == (None, False), "memory was the bound"


def test_calm_rounds_are_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, [False] * 9)
    assert [one.value for one in repeat(lambda number: (float(number), {}), 5, 3)] == [0, 1, 2, 3, 4]


def test_a_disturbed_round_is_measured_again_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, [False, True, False, False, False, False])
    found = list(repeat(lambda number: (float(number), {}), 5, 3))
    assert len(found) == 6
    result = verdict(TARGETS["lookup_chat"], found)
    assert result["rounds"] == [0, 2, 3, 4, 5]
    assert [detail["counted"] for detail in result["details"]] == [True, False, True, True, True, True]


def test_a_machine_that_never_rests_ends_the_repeating(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, [True] * 99)
    found = list(repeat(lambda number: (1.0, {}), 5, 3))
    assert len(found) == 8
    assert len(counted(found)) == 5


@given(ROUNDS)
def test_every_calm_round_counts_and_the_value_is_their_median(found: list[Round]) -> None:
    used = counted(found)
    calm = [one for one in found if not one.disturbed]
    assert all(one in used for one in calm)
    assert len(used) >= 5
    result = verdict(TARGETS["ttft_restart"], found)
    assert result["value"] == median(result["rounds"])
    assert result["met"] is (result["value"] <= 0.10)
    assert len(result["details"]) == len(found)


def test_memory_does_not_care_who_else_is_running() -> None:
    found = [Round(float(value), disturbed=True) for value in range(8)]
    assert len(verdict(TARGETS["chat_overhead_mb"], found)["rounds"]) == 8


def test_names_and_bounds_are_the_promised_ones() -> None:
    assert {name: (target.bound, target.at_least) for name, target in TARGETS.items()} == {
        "decode_vs_bare_loop": (0.97, True),
        "decode_vs_high_level": (1.0, True),
        "decode_vs_bandwidth_1b": (0.80, True),
        "ttft_followup": (0.15, False),
        "ttft_restart": (0.10, False),
        "lookup_extractive": (1.4, True),
        "lookup_chat": (0.97, True),
        "chat_overhead_mb": (150, False),
        "memory_estimate_error": (0.08, False),
    }


def test_a_bound_is_met_on_its_own_side() -> None:
    assert Target("a", 1.0, at_least=True, what="").met(1.0)
    assert not Target("a", 1.0, at_least=True, what="").met(0.99)
    assert Target("b", 1.0, at_least=False, what="").met(1.0)
    assert not Target("b", 1.0, at_least=False, what="").met(1.01)


def test_what_was_not_measured_has_no_value() -> None:
    result = unmeasured(TARGETS["ttft_followup"], {"code": "crashed", "message": "It broke.", "hint": ""})
    assert result["value"] is None
    assert result["met"] is None
    assert result["rounds"] == []


def test_a_round_tells_of_the_machine() -> None:
    surroundings = rounds.Surroundings()
    sum(range(200_000))
    calm = surroundings.around(1.0, {})
    assert calm.seconds > 0
    assert calm.cpu_seconds is not None
    assert calm.others is not None
    assert 0 <= calm.others <= 1, "a share of the machine"


@pytest.mark.parametrize("taken", [1_000.0, 0.0])
def test_a_busy_neighbour_is_seen(taken: float, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = iter([(50.0, 0.0), (50.0 + taken, 0.0)])
    monkeypatch.setattr(rounds, "_busy_seconds", lambda: next(busy))
    monkeypatch.setattr(rounds, "_own_seconds", lambda: 10.0)
    found = rounds.Surroundings().around(1.0, {})
    assert found.others == min(1.0, taken), "never more than there was, however coarse the clock"
    assert found.disturbed is bool(taken)
