"""`eval retrieval`: figures from a scripted worker, and small sets for real in the process of their own."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytrec_eval  # type: ignore[import-untyped]

from desktop_rag import paths
from desktop_rag.cli.evaluation import add_commands
from desktop_rag.cli.output import Output
from desktop_rag.errors import StoreError, UsageError
from desktop_rag.evaluation.retrieval import evaluate, percentile
from desktop_rag.evaluation.retrieval_aims import aims, judged
from desktop_rag.evaluation.retrieval_table import tables
from desktop_rag.workers.crew import Workers
from tests.evaluation.judging import judged_set

CARD = {"name": "Somebody's encoder"}
RANKED = {"bm25": {"q1": ["x", "a"], "q2": ["b"]}, "dense": {"q1": ["a"], "q2": ["b", "x"]}}


class Crew:
    """Stands for the workers: one that is filled, then ranks as `RANKED` says."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.closed: list[str] = []
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def fresh(self, role: str) -> Any:
        assert role == "retrieval"
        return self

    def stream(self, op: str, **args: Any) -> Iterator[dict[str, Any]]:
        self.asked.append((op, args))
        if op == "fill":
            yield {"event": "progress", "text": "encoding 50 %", "fraction": 0.5}
            yield {"event": "done", "encoder": CARD, "documents": 3, "seconds": {}}
            return
        for question in args["questions"]:
            order = RANKED[args["mode"]][question]
            documents = [[document, 1.0 - place / 10] for place, document in enumerate(order)]
            yield {"event": "ranked", "question": question, "documents": documents, "ms": 5.0, "encode_ms": 3.0}
        yield {"event": "done"}

    def call(self, op: str, **args: Any) -> dict[str, Any]:
        assert op == "hnsw"
        names = [f"recall_{name}@{depth}" for name in ("ours", "graph") for depth in (10, 100)]
        told = {"passages": 3, "build_s": 0.1, "memory_mb": 1.0, "graph_p50_ms": 2.0, "ours_p50_ms": 1.0}
        return {"id": 1, "questions": len(args["questions"]), **told, **dict.fromkeys(names, 0.5)}

    def close(self) -> None:
        self.closed.append("closed")


@pytest.fixture
def small_set(tmp_path: Path) -> Path:
    return judged_set(tmp_path, {"a": "", "b": "", "x": ""}, {"q1": ("one?", {"a": 1}), "q2": ("two?", {"b": 1})})


def hired(made: list[Crew]) -> Any:
    def hire(data_dir: Path, environment: Mapping[str, str]) -> Crew:
        assert Path(environment["DESKTOP_RAG_CONFIG_DIR"]).parent == data_dir.parent
        assert os.environ.get("DESKTOP_RAG_CONFIG_DIR") != environment["DESKTOP_RAG_CONFIG_DIR"], "others start too"
        made.append(Crew(data_dir))
        return made[-1]

    return hire


def test_figures_comparisons_and_verdict_come_from_the_rankings(small_set: Path) -> None:
    made: list[Crew] = []
    *before, done = evaluate(hired(made), [small_set], modes=["dense"], encoders=["e"])
    (row,) = done["modes"]
    assert (row["mode"], row["ndcg@10"], row["mrr@10"], row["p50_ms"], row["encode_p50_ms"]) == ("dense", 1, 1, 5, 3)
    assert 0 < row["p_vs_bm25"] <= 1, "the words alone are measured along, whatever was asked for"
    assert done["encoder"] == CARD
    assert (done["documents"], done["queries"], done["set"]) == (3, 2, "set")
    assert made[0].asked[0] == ("fill", {"folder": str(small_set), "encoder": "e", "reranker": None})
    assert made[0].closed, "the process is ended"
    assert not made[0].data_dir.exists(), "nothing of the measurement stays"
    assert before[0]["text"] == "set: encoding 50 %"
    assert before[-1]["event"] == "set"


def test_several_sets_give_one_table(small_set: Path, tmp_path: Path) -> None:
    other = judged_set(tmp_path, {"a": ""}, {"q1": ("one?", {"a": 1})}, name="xquad_xx")
    run = tmp_path / "all.run"
    *_, done = evaluate(hired([]), [small_set, other], modes=["bm25", "dense"], run=run)
    assert [each["set"] for each in done["sets"]] == ["set", "xquad_xx"]
    assert not run.exists()
    assert (tmp_path / "all.xquad_xx.run").read_text().splitlines() == [
        "q1 Q0 x 1 1.0 bm25",
        "q1 Q0 a 2 0.9 bm25",
        "q1 Q0 a 1 1.0 dense",
    ]
    lines = tables(done)
    (mean,) = [line for line in lines if line.split()[:1] == ["mean"]]
    # BM25 finds the answer of q1 second (1 / log2 3) and that of q2 first.
    assert mean.split()[1:] == [f"{((0.63093 + 1) / 2 + 0.63093) / 2:.4f}", "1.0000"]
    assert any(line.startswith("  ✗ bm25, success@1: 0.000, at least 0.800") for line in lines)


def test_what_cannot_be_measured_is_refused_before_anything_is(small_set: Path, tmp_path: Path) -> None:
    made: list[Crew] = []
    with pytest.raises(UsageError, match="no search mode"):
        list(evaluate(hired(made), [small_set], modes=["telepathy"]))
    with pytest.raises(UsageError, match="cannot be read"):
        list(evaluate(hired(made), [small_set, tmp_path]))
    assert made == []


def test_a_run_that_cannot_be_written_says_so(small_set: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"“out\.run” cannot be written"):
        list(evaluate(hired([]), [small_set], modes=["bm25"], run=tmp_path / "nowhere" / "out.run"))


def test_aims_are_held_against_what_was_reached() -> None:
    done = {
        "set": "scifact",
        "modes": [{"mode": "bm25", "ndcg@10": 0.67851}, {"mode": "hybrid", "ndcg@10": 0.72949}],
        "comparisons": [
            {"mode": "hybrid", "against": "bm25", "part": True, "difference": -0.01, "p": 0.01},
            {"mode": "rerank", "against": "bm25", "part": False, "difference": -0.01, "p": 0.01},
        ],
    }
    assert [row["met"] for row in judged(done)] == [True, False, False]
    assert aims("something of mine") == []


def test_percentiles_are_values_that_occurred() -> None:
    assert percentile([5.0, 1.0, 3.0], 50) == 3.0
    assert percentile([float(n) for n in range(1, 101)], 95) == 95.0
    assert percentile([], 50) is None


# -- for real ----------------------------------------------------------------------------------


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """What the command prints as JSON."""
    parser = argparse.ArgumentParser()

    def add(subparsers: Any, name: str, handler: Any, text: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = subparsers.add_parser(name, help=text)
        made.set_defaults(handler=handler)
        return made

    add_commands(parser.add_subparsers(), add)
    options = parser.parse_args(["eval", "retrieval", *arguments])
    workers = Workers(paths.data_dir())
    try:
        assert options.handler(workers, options, Output(True)) == 0
    finally:
        workers.close()
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


ANIMALS = {
    "cat": "A cat sleeps for most of the day and hunts mice at night, quietly and alone.",
    "whale": "A whale swims through the cold ocean and eats tons of krill every single day.",
    "empty": "",
    # What is asked for stands far behind what the encoder reads of a text.
    "garden": "".join(f"Bed {n} holds roses that were cut in spring and bloom for {n} weeks. " for n in range(9, 60))
    + "\n\nMars has two moons, Phobos and Deimos. Both are small and dark, and were found in 1877 by an astronomer"
    " in Washington who had nearly given up looking for them around the red planet.",
    "bread": "Bread is made from flour, water, salt and yeast, and baked in a hot oven.",
}
ASKED = {
    "q1": ("Which animal catches mice?", {"cat": 2}),
    "q2": ("What do large sea mammals feed on?", {"whale": 1}),
    "q3": ("How is bread baked?", {"bread": 1}),
    "q4": ("Which planet do Phobos and Deimos circle?", {"garden": 1}),
}


@pytest.mark.slow
def test_a_set_for_real(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, run = judged_set(tmp_path, ANIMALS, ASKED), tmp_path / "out.run"
    modes = ("bm25", "tfidf", "dense", "hybrid")
    wanted = (*(word for mode in modes for word in ("--mode", mode)), "--run", str(run))
    done = command(capsys, str(folder), *wanted)
    values = {row["mode"]: row["ndcg@10"] for row in done["modes"]}
    assert values["dense"] == values["hybrid"] == 1.0
    assert done["length_bias"].keys() == {"raw", "cosine", "bm25", "all"}
    assert done["encoder"]["name"] == "all-MiniLM-L6-v2"
    assert len(list((paths.cache_dir() / "judged").iterdir())) == 1
    assert not (paths.data_dir() / "library.db").exists(), "the user's own library is not touched"
    lines = run.read_text(encoding="utf-8").splitlines()
    assert sum(line.startswith("q4 Q0 garden") and line.endswith("dense") for line in lines) == 1
    runs: dict[str, dict[str, dict[str, float]]] = {}
    for line in lines:
        question, _, document, _, score, tag = line.split(" ")
        runs.setdefault(tag, {}).setdefault(question, {})[document] = float(score)
    judge = pytrec_eval.RelevanceEvaluator({q: docs for q, (_, docs) in ASKED.items()}, {"ndcg_cut.10"})
    for mode, value in values.items():
        again = judge.evaluate(runs[mode])
        assert value == pytest.approx(sum(row["ndcg_cut_10"] for row in again.values()) / len(ASKED), abs=1e-6), mode
    # Once more, with the vectors that were kept: the same rankings to the last digit.
    before = run.read_bytes()
    command(capsys, str(folder), *wanted)
    assert run.read_bytes() == before
    assert len(list((paths.cache_dir() / "judged").iterdir())) == 1
