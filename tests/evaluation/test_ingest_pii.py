"""What the speeds of finding personal data are measured on, and how they become ratios."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from desktop_rag.evaluation import ingest_pii
from desktop_rag.evaluation.ingest_naive import _scrubbed
from desktop_rag.evaluation.ingest_pii_work import compared, lengths, reports
from desktop_rag.evaluation.ingest_place import Place, Sizes
from desktop_rag.evaluation.ingest_text import labelled_paragraph, paragraph

Spans = list[dict[str, Any]]


def test_the_labels_stand_where_the_values_are() -> None:
    found = labelled_paragraph(Random(1), 60)
    values = {span["label"]: found.text[span["start"] : span["end"]] for span in found.spans}
    assert set(values) == {"PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER"}
    assert values["EMAIL_ADDRESS"].endswith("@example.com")
    assert values["PHONE_NUMBER"].startswith("+44 20 7946 ")
    assert len(values["PERSON"].split()) == 2


def test_labels_change_nothing_in_the_text() -> None:
    assert labelled_paragraph(Random(3), 5).text == paragraph(Random(3), 5)


def test_no_text_comes_twice() -> None:
    texts = [one.text for seed in range(3) for one in reports(4000, seed)]
    assert len(set(texts)) == len(texts)


def test_every_way_gets_the_same_texts_and_is_scored() -> None:
    seen: dict[str, list[str]] = {"ours": [], "stock": []}

    def all_of(name: str) -> Any:
        def find(text: str) -> Spans:
            seen[name].append(text)
            return [{"start": 0, "end": len(text), "label": "PERSON"}] if name == "ours" else []

        return find

    told = compared({name: all_of(name) for name in seen}, 3000, 5, reverse=True)
    assert seen["ours"] == seen["stock"]
    assert told["characters"] == sum(map(len, seen["ours"])) >= 3000
    assert 0 < told["ours"]["f1"] < 1
    assert told["stock"]["f1"] == 0
    assert {"cpu_s", "seconds"} <= set(told["ours"])


def test_the_long_page_is_ten_times_the_short_one() -> None:
    sizes: list[int] = []
    lengths(lambda text: sizes.append(len(text)) or [], 700, 1)  # type: ignore[func-returns-value]
    assert sizes == [700, 7000]


def test_the_naive_way_replaces_the_first_of_what_overlaps() -> None:
    spans = [
        {"start": 0, "end": 4, "label": "A"},
        {"start": 2, "end": 8, "label": "B"},
        {"start": 9, "end": 10, "label": "C"},
    ]
    assert _scrubbed("Jean lived x y", spans) == "<A> live<C> x y"


class _Worker:
    """Says how long everything took, and what it was asked."""

    pid = None

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def call(self, op: str, **args: Any) -> dict[str, Any]:
        self.asked.append((op, args))
        took = {"f1": 0.9, "seconds": 1.0}
        return {"characters": 100, "ours": {**took, "cpu_s": 1.0}, "stock": {**took, "cpu_s": 5.0}} | {
            "names": {**took, "cpu_s": 2.0}
        }

    def close(self) -> None:
        """Nothing to end."""


class _Crew:
    def __init__(self, worker: _Worker) -> None:
        self._worker = worker

    def fresh(self, role: str) -> _Worker:
        assert role == "pii"
        return self._worker


def test_the_ratio_is_of_processor_time_and_sides_take_turns(tmp_path: Path) -> None:
    worker = _Worker()
    steps = ingest_pii.against_stock(Place(tmp_path, _Crew(worker), Sizes(characters=100)))  # type: ignore[arg-type]
    try:
        while True:
            next(steps)
    except StopIteration as stop:
        rounds = stop.value["pii_vs_stock"]
    assert [one.value for one in rounds] == [5.0] * 5
    assert rounds[0].parts["of_names_alone"] == pytest.approx(2.0)
    assert [args["reverse"] for _, args in worker.asked[1:]] == [False, True, False, True, False]
    assert len({args["seed"] for _, args in worker.asked}) == 6
