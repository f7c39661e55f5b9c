"""Encoders side by side: which is better is said only where it is sure, and what it costs is said along."""

from __future__ import annotations

from typing import Any

import pytest

from desktop_rag.evaluation.encoders import against, better, row, verdict
from desktop_rag.evaluation.judged import Questions
from desktop_rag.evaluation.retrieval import Ranked
from desktop_rag.evaluation.retrieval_table import encoder_lines, weight_lines

QUESTIONS = Questions({f"q{n}": "?" for n in range(20)}, {f"q{n}": {"right": 1} for n in range(20)})


def ranked(places: list[int]) -> Ranked:
    """Runs in which the right document stands at these places."""
    runs = {
        f"q{n}": {**{f"x{i}": 10.0 - i for i in range(place - 1)}, "right": 10.0 - place + 0.5}
        for n, place in enumerate(places)
    }
    return Ranked(runs)


def held(name: str, ndcg: float, speed: float | None, *, in_use: bool) -> dict[str, Any]:
    facts = {"encoder": {"name": name, "languages": ["en"]}, "size_mb": 25.0, "passages_s": speed}
    modes = [{"mode": "bm25", "ndcg@10": 0.1}, {"mode": "hybrid", "ndcg@10": ndcg}]
    return row(facts, modes, in_use=in_use)


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        ([3] * 20, [1] * 20, "big is better than small on these documents"),
        ([1] * 20, [3] * 20, "small, which is in use, is better than big"),
        ([1, 2] * 10, [2, 1] * 10, "there is no sure difference"),
    ],
)
def test_the_verdict_comes_from_the_questions(ours: list[int], theirs: list[int], said: str) -> None:
    found = against(QUESTIONS, {"hybrid": ranked(ours)}, {"hybrid": ranked(theirs)})
    assert found is not None
    rows = [held("small", 0.6, 90.0, in_use=True), {**held("big", 0.9, 30.0, in_use=False), "against": found}]
    (sentence,) = verdict(rows)
    assert said in sentence
    assert ("takes 3.0 times as long" in sentence) == (ours > theirs)
    assert better(rows) == ("big" if ours > theirs else None), "only a sure lead over the one in use is offered"
    assert [mode["mode"] for mode in rows[0]["modes"]] == ["hybrid"], "words alone know no encoder"
    lines = encoder_lines({"encoders": rows, "encoders_verdict": [sentence]})
    assert any(line.startswith("small *") for line in lines)


def test_without_a_mode_in_common_nothing_is_said() -> None:
    assert against(QUESTIONS, {"hybrid": ranked([1] * 20)}, {"dense": ranked([1] * 20)}) is None
    assert encoder_lines({"encoders": []}) == []


def test_the_best_of_several_better_ones_is_offered_and_how_to_change_is_told() -> None:
    def other(name: str, difference: float, *, sure: bool) -> dict[str, Any]:
        return {**held(name, 0.7, 30.0, in_use=False), "against": {"difference": difference, "sure": sure}}

    own = held("small", 0.6, 90.0, in_use=True)
    rows = [own, other("wide", 0.04, sure=True), other("big", 0.09, sure=True), other("lucky", 0.2, sure=False)]
    assert better(rows) == "big"
    assert better([own, other("lucky", 0.2, sure=False)]) is None
    done = {"set": "Leases", "fusion": {"sentence": "As usual.", "sure": False}, "better_encoder": "big"}
    assert weight_lines(done)[-1].endswith("collections --collection “Leases” --encoder big")


def test_times_stand_below_the_figures() -> None:
    rows = [
        row(
            {"encoder": {"name": name, "languages": ["en"]}, "size_mb": 25.0, "passages_s": 90.0},
            [{"mode": "hybrid", "ndcg@10": 0.5, "p50_ms": 11.0, "p95_ms": 19.5}],
            in_use=name == "small",
        )
        for name in ("small", "big")
    ]
    lines = encoder_lines({"encoders": rows, "encoders_verdict": []})
    assert [line.split()[-1] for line in lines if line.startswith("  p")] == ["11.0", "19.5"] * 2
    assert len({len(line) for line in lines if line and not line.startswith("*")}) == 1, "the columns stand in line"
