"""Sentences made from the numbers: each says what the numbers say, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from desktop_rag.evaluation.bootstrap import Comparison
from desktop_rag.evaluation.verdict import best_part, probability, verdict


def rows(**figures: tuple[float, float]) -> list[dict[str, Any]]:
    return [{"mode": mode, "ndcg@10": value, "p50_ms": ms} for mode, (value, ms) in figures.items()]


def sure(given: list[dict[str, Any]], p: float) -> Any:
    values = {row["mode"]: row["ndcg@10"] for row in given}
    return lambda mode, other: Comparison(values[mode] - values[other], 0, 0, p)


def test_words_that_beat_the_encoder() -> None:
    given = rows(bm25=(0.679, 4), dense=(0.645, 9))
    assert verdict(given, sure(given, 0.01), "MiniLM") == [
        "BM25 beats MiniLM on these documents (nDCG@10 0.679 against 0.645, p = 0.01).",
        "Use BM25: nothing is better.",
    ]


def test_a_difference_that_chance_explains_is_called_none_and_the_faster_mode_is_advised() -> None:
    given = rows(bm25=(0.679, 40), dense=(0.685, 90))
    assert verdict(given, sure(given, 0.4), "MiniLM") == [
        "Between MiniLM and BM25 there is no sure difference on these documents"
        " (nDCG@10 0.685 against 0.679, p = 0.40).",
        "Use BM25: MiniLM is not surely better, and slower.",
    ]


def test_of_modes_that_nobody_waits_for_the_better_one_is_advised() -> None:
    given = rows(bm25=(0.679, 0.4), dense=(0.685, 9))
    assert verdict(given, sure(given, 0.4), "MiniLM")[-1] == "Use MiniLM: nothing is better."


def test_each_made_mode_is_held_against_the_best_of_its_parts() -> None:
    given = rows(bm25=(0.4, 4), dense=(0.6, 9), hybrid=(0.7, 12), rerank=(0.65, 40))
    said = verdict(given, sure(given, 0.001), "MiniLM")
    assert "Hybrid beats MiniLM on these documents (nDCG@10 0.700 against 0.600, p = 0.001)." in said
    assert "Hybrid beats rerank on these documents (nDCG@10 0.700 against 0.650, p = 0.001)." in said
    assert said[-1] == "Use hybrid: nothing is better."
    by_mode = {row["mode"]: row for row in given}
    assert best_part("hybrid", by_mode) == "dense"
    assert best_part("bm25", by_mode) is None


def test_one_mode_alone_has_nothing_to_be_compared_with() -> None:
    given = rows(hybrid=(0.7, 12))
    assert verdict(given, sure(given, 0.0), "MiniLM") == []


@pytest.mark.parametrize(
    ("p", "shown"), [(0.00009999, "0.0001"), (0.0042, "0.0042"), (0.0316, "0.032"), (0.5, "0.50"), (1.0, "1.00")]
)
def test_probabilities_for_people(p: float, shown: str) -> None:
    assert probability(p) == shown
