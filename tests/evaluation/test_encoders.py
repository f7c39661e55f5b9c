"""Encoders side by side: which is better is said only where it is sure, and what it costs is said along."""

from __future__ import annotations

from typing import Any

import pytest

from desktop_rag.evaluation.encoders import against, row, verdict
from desktop_rag.evaluation.judged import Questions
from desktop_rag.evaluation.retrieval import Ranked
from desktop_rag.evaluation.retrieval_table import encoder_lines

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
    assert [mode["mode"] for mode in rows[0]["modes"]] == ["hybrid"], "words alone know no encoder"
    lines = encoder_lines({"encoders": rows, "encoders_verdict": [sentence]})
    assert any(line.startswith("small *") for line in lines)


def test_without_a_mode_in_common_nothing_is_said() -> None:
    assert against(QUESTIONS, {"hybrid": ranked([1] * 20)}, {"dense": ranked([1] * 20)}) is None
    assert encoder_lines({"encoders": []}) == []
