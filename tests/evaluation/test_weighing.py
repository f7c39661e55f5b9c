"""Choosing weights by judged questions: what is best is found, and chance is not taken for it."""

from __future__ import annotations

import random

import pytest

from desktop_rag.evaluation.weighing import FEWEST, USUAL, WAYS, weighed
from desktop_rag.retrieval.fuse import Fusion


def test_a_way_that_is_better_everywhere_is_sure() -> None:
    draw = random.Random(1)
    usual = [draw.uniform(0.2, 0.6) for _ in range(40)]
    told = weighed({USUAL: usual, "votes:0.2": [value + 0.2 for value in usual], "rrf": usual}, USUAL)
    assert (told["best"], told["sure"]) == ("votes:0.2", True)
    assert told["difference"] == pytest.approx(0.2)
    assert "votes:0.2 finds more than usual" in told["sentence"]


def test_the_best_of_many_lucky_ones_is_not_sure() -> None:
    draw = random.Random(2)
    figures = {way: [float(draw.random() < 0.5) for _ in range(30)] for way in WAYS}
    told = weighed(figures, USUAL)
    assert told["best"] != USUAL
    assert told["ndcg_best"] > told["ndcg_now"] + 0.1, "it looks much better on the very questions it was chosen by"
    assert not told["sure"]
    assert "stay as they are" in told["sentence"]


def test_what_is_in_use_stays_among_equals() -> None:
    told = weighed({way: [0.5] * 20 for way in (*WAYS, "minmax:0.75")}, "minmax:0.75")
    assert (told["best"], told["p"], told["sure"]) == ("minmax:0.75", None, False)
    assert "in use is the best" in told["sentence"]


def test_few_questions_prove_nothing() -> None:
    few = FEWEST - 1
    told = weighed({USUAL: [0.0] * few, "rrf": [1.0] * few}, USUAL)
    assert (told["best"], told["p"], told["sure"]) == ("rrf", None, False)
    assert "nothing can be said" in told["sentence"]


def test_every_way_can_be_kept() -> None:
    assert len(set(WAYS)) == len(WAYS)
    for way in WAYS[1:]:
        Fusion.read(way)
