"""Searching the real library in every mode: failures are named, the trace tells the way, a collection has its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from desktop_rag.cli.trace_lines import trace_lines
from desktop_rag.errors import ModelError
from desktop_rag.models.installed import rerankers
from desktop_rag.retrieval import deep
from desktop_rag.retrieval.encode import Vectors
from desktop_rag.retrieval.modes import MODES
from desktop_rag.settings import NO_RERANKER, Settings
from desktop_rag.workers import hits, questions, ranking, receipts
from tests.models.cross_encoders import install
from tests.workers.driving import add, run

if TYPE_CHECKING:
    from desktop_rag.workers.library import Library

pytestmark = pytest.mark.slow
PUMP = "The warranty of the pump P-7 lasts 24 months from the day of delivery. Seals are excluded.\n"
RENT = "The rent is 1450 euros a month, due on the third working day. The deposit is two months' rent.\n"
TRAVEL = "Hotels are paid up to 120 euros a night. A guarantee is given to hotels by the office on request.\n"
QUESTION = "How long is the guarantee on the pump?"


@pytest.fixture
def filled(library: Library, tmp_path: Path) -> Library:
    for name, text in (("pump", PUMP), ("rent", RENT), ("travel", TRAVEL)):
        (tmp_path / f"{name}.txt").write_text(text)
    add(library, *(tmp_path / f"{name}.txt" for name in ("pump", "rent", "travel")))
    return library


def find(library: Library, mode: str, **more: Any) -> dict[str, Any]:
    return questions.find(library, QUESTION, None, mode, 2, **more)


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_finds_the_passage(filled: Library, mode: str) -> None:
    found = find(filled, mode)
    assert found["mode"] == mode
    assert "pump.txt" in [hit["name"] for hit in found["hits"]]
    assert found["notes"] == []
    assert (mode in ("rerank", "deep")) == ("rerank" in found["hits"][0]["scores"])
    assert [hit["score"] for hit in found["hits"]] == sorted((hit["score"] for hit in found["hits"]), reverse=True)


def test_a_trace_names_every_candidate_and_reads_well(filled: Library) -> None:
    told = find(filled, "rerank", traced=True)["trace"]
    assert {row["name"] for row in told["rows"]} == {"pump.txt", "rent.txt", "travel.txt"}
    assert [row["state"] for row in told["rows"]] == ["hit", "hit", "below"]
    lines = trace_lines(told)
    assert "  read again by late interaction with all-MiniLM-L6-v2: 3 passages" in "\n".join(lines)
    (header,) = [line for line in lines if line.startswith("    #")]
    assert header.split() == ["#", "words", "meaning", "joined", "read", "again", "passage"]
    assert lines[-1].endswith("(not among the hits)")
    assert "trace" not in find(filled, "rerank")


def test_what_is_kept_with_an_answer_names_no_document(filled: Library) -> None:
    """A document that is removed later must not live on in the table of candidates."""
    prepared = questions.prepare(filled, {"question": QUESTION, "mode": "rerank"})
    kept = json.dumps(prepared["trace"])
    assert [row["state"] for row in prepared["trace"]["rows"]].count("hit") == len(prepared["passages"])
    assert not any(word in kept for word in ("pump", "rent.txt", "travel"))
    document = filled.documents.rows(filled.default_collection()["id"])[0]["id"]
    run(receipts.remove(filled, [document]))
    gone = [row for row in hits.named(filled, prepared["trace"])["rows"] if row["name"] is None]
    assert [row["document"] for row in gone] == [None]
    assert "removed since" in "\n".join(trace_lines(hits.named(filled, prepared["trace"])))


def test_a_deep_search_without_its_dense_side_answers_and_names_who_failed(
    filled: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(query: Vectors, collection: int, limit: int) -> Mapping[int, float]:
        raise RuntimeError("killed")

    monkeypatch.setattr(filled, "search", killed)
    found = find(filled, "deep")
    assert found["hits"][0]["name"] == "pump.txt"
    states = {member["name"]: member["state"] for member in found["members"]}
    assert states == {"words": "answered", "meaning": "failed", "the question in other words": "failed"}
    assert "“meaning” failed and was left out." in found["notes"]


def test_a_deep_search_does_not_wait_for_a_slow_member(filled: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    release, real = threading.Event(), filled.lexical.search

    def slow(query: str, collections: Sequence[int]) -> dict[int, float]:
        if threading.current_thread().name.startswith("deep "):
            release.wait(60)
            return {}
        return real(query, collections)

    monkeypatch.setattr(filled.lexical, "search", slow)
    monkeypatch.setattr(ranking, "DEEP_SECONDS", 0.5)
    try:
        found = find(filled, "deep")
    finally:
        release.set()
        for thread in threading.enumerate():
            if thread.name.startswith("deep "):
                thread.join(10)
    assert {member["name"]: member["state"] for member in found["members"]}["words"] == "late"
    assert found["hits"][0]["name"] == "pump.txt"


def test_an_encoder_that_gives_no_numbers_leaves_the_words(filled: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(texts: Sequence[str], *, query: bool = False) -> Vectors:
        raise ModelError("incompatible", "The search encoder gave values that are not numbers.")

    monkeypatch.setattr(filled.encoder, "encode_all", broken)
    for mode in ("hybrid", "rerank", "deep"):
        found = find(filled, mode)
        assert "pump.txt" in [hit["name"] for hit in found["hits"]]
        assert "its words alone were searched" in found["notes"][0]
    with pytest.raises(ModelError):
        find(filled, "dense")


@pytest.mark.parametrize(
    "question", ["", "the of and", "?!", "12 345", '"NEAR(" AND * OR -', "电 насос مضخة", "x" * 5000]
)
@pytest.mark.parametrize("mode", ["hybrid", "rerank", "deep"])
def test_odd_questions_are_answered(filled: Library, question: str, mode: str) -> None:
    assert questions.find(filled, question, None, mode, 2)["mode"] == mode


def test_a_library_without_documents(library: Library) -> None:
    library.default_collection()
    for mode in MODES:
        assert find(library, mode)["hits"] == []


def test_a_collection_joins_in_its_own_way(filled: Library) -> None:
    home = filled.default_collection()["id"]
    usual = find(filled, "hybrid")["hits"]
    filled.collections.set_fusion(home, "rrf:0.5")
    own = find(filled, "hybrid")["hits"]
    assert own[0]["score"] == pytest.approx(1 / 61, abs=1e-3)
    assert own[0]["score"] < usual[0]["score"]
    filled.collections.set_fusion(home, None)
    assert find(filled, "hybrid")["hits"] == usual


def test_the_earlier_questions_are_in_the_other_words(filled: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def spy(question: str, earlier: Sequence[str] = ()) -> str:
        said.append(deep.rewritten(question, earlier))
        return said[-1]

    monkeypatch.setattr(ranking, "rewritten", spy)
    first = questions.prepare(filled, {"question": "What about the pump P-7?", "mode": "deep"})
    questions.prepare(filled, {"question": "How long?", "mode": "deep", "conversation": first["conversation"]})
    assert said[1] == "long pump P-7"


def test_an_installed_cross_encoder_reads_again_and_is_named(
    filled: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = find(filled, "rerank", traced=True)["trace"]["reranker"]
    assert "late interaction" in late
    install(filled.data_dir, tmp_path)
    told = find(filled, "rerank", traced=True)
    assert told["trace"]["reranker"] == "tiny"
    assert "read again by tiny" in "\n".join(trace_lines(told["trace"]))
    assert all(0 < hit["scores"]["rerank"] < 1 for hit in told["hits"])
    Settings(filled.data_dir).set("reranker", NO_RERANKER)
    assert find(filled, "rerank", traced=True)["trace"]["reranker"] == late


def test_a_cross_encoder_that_broke_is_told_and_made_up_for(filled: Library, tmp_path: Path) -> None:
    install(filled.data_dir, tmp_path)
    (model,) = rerankers(filled.data_dir)
    head = model.path / "head.npz"
    head.write_bytes(b"x" * head.stat().st_size)
    told = find(filled, "rerank", traced=True)
    assert "cannot be loaded" in "\n".join(told["notes"])
    assert "late interaction" in told["trace"]["reranker"]
    assert "pump.txt" in [hit["name"] for hit in told["hits"]]
