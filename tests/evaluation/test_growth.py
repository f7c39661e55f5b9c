"""`bench --retrieval`: the made-up collections, the promises, the picture, and a small run for real."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from desktop_rag import paths
from desktop_rag.errors import ModelError, UsageError
from desktop_rag.evaluation import growth_promises
from desktop_rag.evaluation.growth import SIZES, grow
from desktop_rag.evaluation.growth_plot import bars, svg
from desktop_rag.evaluation.growth_text import PASSAGES, WORDS, Prose, word
from desktop_rag.workers.crew import Workers

PROSE = Prose()


def test_no_two_words_are_alike() -> None:
    assert len({word(rank) for rank in range(50_000)}) == 50_000


def test_words_are_as_frequent_as_in_natural_text() -> None:
    counts = Counter(rank for number in range(20) for ranks in PROSE.document(number) for rank in ranks.tolist())
    total = sum(counts.values())
    assert total == 20 * PASSAGES * WORDS
    assert 0.02 < counts[0] / total < 0.06, "the most frequent word, as “the” is"
    once = sum(count == 1 for count in counts.values())
    assert 0.3 < once / len(counts) < 0.8, "of a text's words about half occur once"


def test_the_same_number_gives_the_same_document_and_another_another() -> None:
    again = Prose()
    assert all(np.array_equal(one, other) for one, other in zip(PROSE.document(7), again.document(7), strict=True))
    assert not np.array_equal(PROSE.document(7)[0], PROSE.document(8)[0])
    assert PROSE.text(PROSE.document(7)[0]).count(" ") == WORDS - 1


def test_passages_of_a_document_lie_closer_to_each_other_than_to_others() -> None:
    vectors = np.array([PROSE.vector(ranks) for number in range(4) for ranks in PROSE.document(number)])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-3)
    alike = vectors @ vectors.T
    assert alike[:PASSAGES, :PASSAGES].mean() > 2 * alike[:PASSAGES, PASSAGES:].mean()


def test_a_question_has_words_of_one_passage() -> None:
    asked = PROSE.question(3, 50).split()
    assert len(asked) == len(set(asked)) == 9
    texts = [set(PROSE.text(ranks).replace(".", "").split()) for n in range(50) for ranks in PROSE.document(n)]
    assert any(set(asked) <= words for words in texts)


def row(chunks: int, p50: float, p95: float) -> dict[str, Any]:
    rest = {"bm25_p50_ms": 4.0, "dense_p50_ms": 2.0, "encode_p50_ms": 3.0, "add_s": 0.5, "remove_s": 0.1}
    told = {"build_s": 100.0, "add_share": 0.005, "memory_mb": 400.0}
    return {"chunks": chunks, "p50_ms": p50, "p95_ms": p95, **rest, **told}


def measured(*rows: dict[str, Any], naive: int) -> dict[str, Any]:
    encoder = {"times": 3.5, "passages_s": 80.0, "default_passages_s": 23.0, "error": None}
    found = {"base_mb": 270.0, "sizes": list(rows), "rank_bm25": {"chunks": naive, "p50_ms": 480.0}, "encoder": encoder}
    return {**found, "targets": growth_promises.targets(found), "plot": "growth.svg"}


def test_promises_are_held_against_the_size_they_are_about() -> None:
    done = measured(row(1_000, 2, 3), row(100_000, 12, 44), naive=100_000)
    met = {target["name"]: target["met"] for target in done["targets"]}
    assert met == {
        "hybrid_p50_ms_100000": True,
        "hybrid_p95_ms_100000": False,
        "add_share_100000": True,
        "memory_mb_100000": True,
        "hybrid_p95_ms_1000000": None,
        "memory_base_mb": False,
        "encoding_vs_default": True,
        "bm25_vs_rank_bm25": True,
    }
    said = "\n".join(growth_promises.lines(done))
    assert "✗ hybrid_p95_ms_100000     44 (≤ 40)" in said
    assert "– hybrid_p95_ms_1000000    not measured (≤ 150)" in said


def test_a_smaller_collection_promises_nothing() -> None:
    done = measured(row(1_000, 2, 3), naive=1_000)
    values = {target["name"]: target["value"] for target in done["targets"]}
    assert values["bm25_vs_rank_bm25"] is None
    assert values["hybrid_p50_ms_100000"] is None


def test_without_pytorch_the_comparison_is_left_out_and_the_rest_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    from desktop_rag.evaluation import growth

    hint = "Add it: sudo apt install ./desktop-rag-torch_1_amd64.deb"

    class Worker:
        def call(self, op: str, **_args: Any) -> dict[str, Any]:
            if op == "default_encode":
                raise ModelError("backend_missing", "The comparison needs PyTorch, which is not installed.", hint)
            return {"seconds": 2.0}

        def close(self) -> None:
            pass

    class Crew:
        library = Worker()

        def fresh(self, _role: str) -> Worker:
            return Worker()

    monkeypatch.setattr(growth, "place", lambda *_: nullcontext(SimpleNamespace(crew=Crew())))
    encoder: dict[str, Any] = {}

    def run() -> Iterator[dict[str, Any]]:
        encoder.update((yield from growth._encoders(lambda _folder: Crew())))  # type: ignore[arg-type,return-value]

    assert list(run()), "it tells what it does"
    assert encoder["passages_s"] == growth._ENCODED / 2
    assert encoder["times"] is None
    done = measured(row(1_000, 2, 3), naive=1_000) | {"encoder": encoder}
    done["targets"] = growth_promises.targets(done)
    said = "\n".join(growth_promises.lines(done))
    assert "not compared: The comparison needs PyTorch, which is not installed. Add it: sudo apt" in said
    assert "– encoding_vs_default      not measured" in said


def test_the_plot_is_a_picture_with_a_point_for_each_figure() -> None:
    picture = ET.fromstring(svg([row(1_000, 2, 3), row(10_000, 5, 0.01), row(1_000_000, 80, 140)]))
    names = Counter(part.tag.rsplit("}", 1)[-1] for part in picture)
    assert names["circle"] == 6
    assert names["polyline"] == 2
    texts = [part.text for part in picture.iter() if part.text]
    assert "1,000,000" in texts
    lows = [float(part.get("cy") or 0) for part in picture if part.tag.endswith("circle")]
    assert all(0 < y < 400 for y in lows)


def test_bars_grow_with_what_they_show() -> None:
    assert bars([("1,000", 2.0, 4.0), ("10,000", 10.0, 20.0)]) == [
        "    1,000 ████░░░░ 2.0 … 4.0 ms",
        "   10,000 ████████████████████░░░░░░░░░░░░░░░░░░░░ 10.0 … 20.0 ms",
    ]


def test_sizes_out_of_bounds_are_refused_before_anything_is_built(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="7 passages"):
        list(grow(Workers, tmp_path, [1_000, 7]))
    assert all(size >= 1_000 for size in SIZES)


@pytest.mark.slow
def test_a_thousand_passages_for_real(monkeypatch: pytest.MonkeyPatch) -> None:
    from desktop_rag.evaluation import growth

    monkeypatch.setattr(growth, "_ENCODED", 4)
    monkeypatch.setattr(growth, "_ROUNDS", 1)
    events = list(grow(Workers, paths.data_dir(), [1_000]))
    done = events[-1]
    (row,) = done["sizes"]
    assert row["chunks"] == 1_000
    assert 0 < row["p50_ms"] <= row["p95_ms"]
    assert row["bm25_p50_ms"] > 0
    assert row["dense_p50_ms"] > 0
    assert row["add_s"] > 0
    assert row["memory_mb"] > 50
    assert done["rank_bm25"]["p50_ms"] > 0
    assert done["encoder"]["passages_s"] > 0
    assert Path(done["plot"]).read_text(encoding="utf-8").startswith("<svg")
    assert not (paths.data_dir() / "library.db").exists(), "the user's own library is not touched"
    made = next((paths.cache_dir() / "growth").iterdir())
    before = (made / "built.json").read_bytes()
    # What was built is taken as it is, and holds what it held: the documents that were added are gone again.
    from contextlib import closing

    from desktop_rag.evaluation.ingest_place import Sizes, kept_place

    with kept_place(Workers, made, Sizes()) as own, closing(own.crew.library) as library:
        (collection,) = [c for c in library.call("collections")["collections"] if c["name"] == "made up"]
    assert collection["chunks"] == 1_000
    assert (made / "built.json").read_bytes() == before
