"""Precision, recall and F over characters: hand-made rows whose figures can be counted on the fingers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.evaluation.pii_score import Row, Tally, same_class, score


def span(start: int, end: int, label: str, **more: Any) -> dict[str, Any]:
    return {"start": start, "end": end, "label": label, **more}


def test_characters_are_counted_whatever_their_class_is_called() -> None:
    # Ten characters of a name, eight of them found as a place, and two characters beside it.
    figures = score([Row([span(0, 10, "PERSON")], [span(2, 12, "LOCATION")])])
    assert figures["overall"] == {"precision": 0.8, "recall": 0.8, "f1": 0.8, "f2": 0.8}


def test_f2_weighs_recall_four_times_as_much() -> None:
    tally = Tally(right=50, wrong=50, missed=0)
    assert tally.figures() == {"precision": 0.5, "recall": 1.0, "f1": 0.6667, "f2": 0.8333}
    assert Tally(right=50, wrong=0, missed=50).figures()["f2"] == 0.5556


def test_overlapping_findings_count_once() -> None:
    figures = score([Row([span(0, 4, "PERSON")], [span(0, 4, "PERSON"), span(0, 4, "PERSON"), span(2, 4, "URL")])])
    assert figures["overall"]["precision"] == 1.0


def test_what_is_to_be_kept_is_not_to_be_found() -> None:
    rows = [
        Row([span(0, 5, "ORG", protection="keep"), span(10, 15, "PERSON", protection="protect")], [span(0, 5, "ORG")])
    ]
    figures = score(rows)
    assert figures["overall"]["recall"] == 0.0
    assert figures["overall"]["precision"] == 0.0
    assert list(figures["labels"]) == ["PERSON"]


def test_the_classes_leave_each_others_characters_out() -> None:
    gold = [span(0, 10, "PERSON"), span(20, 30, "LOC")]
    figures = score([Row(gold, [span(0, 10, "PERSON"), span(20, 30, "PERSON"), span(40, 50, "PERSON")])])
    assert figures["direct"] == {"precision": 0.5, "recall": 1.0, "f1": 0.6667, "f2": 0.8333}
    assert figures["quasi"]["recall"] == 1.0
    assert figures["overall"]["precision"] == 0.6667


def test_a_set_may_say_itself_what_is_direct() -> None:
    figures = score([Row([span(0, 3, "VEHICLE_PLATE", identifier_class="quasi")], [])])
    assert figures["quasi"]["recall"] == 0.0
    assert figures["direct"]["recall"] is None


def test_a_label_wants_its_own_class_and_knows_its_other_names() -> None:
    gold = [span(0, 4, "GPE"), span(10, 14, "PERSON")]
    figures = score([Row(gold, [span(0, 4, "LOCATION"), span(10, 14, "LOCATION")])])
    # The place is right; the other four characters are a person's, said to be a place.
    assert figures["labels"]["GPE"] == {
        "precision": 0.5, "recall": 1.0, "f1": 0.6667, "f2": 0.8333, "found": 1.0, "spans": 1,
    }  # fmt: skip
    assert figures["labels"]["PERSON"]["recall"] == 0.0
    assert figures["labels"]["PERSON"]["found"] == 1.0


def test_two_labels_of_one_class_do_not_count_against_each_other() -> None:
    gold = [span(0, 4, "TERRITORIO"), span(10, 14, "PAIS")]
    figures = score([Row(gold, [span(0, 4, "LOCATION"), span(10, 14, "LOCATION")])])
    assert figures["labels"]["TERRITORIO"]["precision"] == figures["labels"]["PAIS"]["precision"] == 1.0


def test_what_cannot_be_said_is_left_open() -> None:
    nothing = score([Row([], [])])["overall"]
    assert nothing == {"precision": None, "recall": None, "f1": None, "f2": None}
    in_vain = score([Row([], [span(0, 3, "PERSON")])])["overall"]
    assert in_vain == {"precision": 0.0, "recall": None, "f1": None, "f2": None}


def test_an_unknown_label_is_its_own_class() -> None:
    assert same_class("SHOE_SIZE") == "SHOE_SIZE"
    assert same_class("NIP") == same_class("TAX_NUMBER")


_SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 10)), max_size=5)


@given(_SPANS, _SPANS)
def test_swapping_gold_and_found_swaps_precision_and_recall(gold: Any, found: Any) -> None:
    left = [span(start, start + length, "PERSON") for start, length in gold]
    right = [span(start, start + length, "PERSON") for start, length in found]
    forth, back = score([Row(left, right)])["overall"], score([Row(right, left)])["overall"]
    assert forth["precision"] == back["recall"]
    assert forth["recall"] == back["precision"]


def test_rows_are_pooled_not_averaged() -> None:
    rows = [Row([span(0, 9, "PERSON")], [span(0, 9, "PERSON")]), Row([span(0, 1, "PERSON")], [])]
    assert score(rows)["overall"]["recall"] == pytest.approx(0.9)
