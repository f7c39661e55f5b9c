"""The cross-encoder as a reranker: any text at all, in order, 0..1; a damaged one says so and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from desktop_rag.errors import ModelError
from desktop_rag.retrieval.cross_encoder import CrossEncoder
from desktop_rag.retrieval.rerank import Reranking, rerank
from tests.models.cross_encoders import converted, make

pytestmark = pytest.mark.slow
PASSAGES = [
    "The pump was installed in March.",
    "",
    "Rent is due.",
    "発動機" * 900,
    "a " * 4000,
    "\x00\ud800 odd",
    "The end.",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("cross")
    return converted(make(base / "source"), base / "made")


@pytest.fixture(scope="module")
def encoder(folder: Path) -> CrossEncoder:
    return CrossEncoder(folder, threads=2)


@pytest.mark.parametrize("question", ["When was the pump installed?", "", "word " * 3000, "؟؟", "\ud83d"])
def test_any_question_scores_any_passages_in_their_order(encoder: CrossEncoder, question: str) -> None:
    scores = [score for batch in encoder.score(question, PASSAGES) for score in batch]
    assert len(scores) == len(PASSAGES)
    assert all(0 < score < 1 for score in scores)
    alone = [next(iter(encoder.score(question, [passage])))[0] for passage in PASSAGES]
    assert scores == pytest.approx(alone, abs=0.05), "who else is in the batch hardly matters"


def test_no_passages_give_no_scores(encoder: CrossEncoder) -> None:
    assert list(encoder.score("anything", [])) == []


def test_it_reorders_by_what_it_says(encoder: CrossEncoder) -> None:
    texts = {1: "The rent is due in March.", 2: "The pump is old.", 3: "Seals are excluded from the warranty."}
    scores = dict(zip(texts, next(iter(encoder.score("rent", list(texts.values())))), strict=True))
    best = max(scores, key=lambda chunk: scores[chunk])
    fused = dict.fromkeys(texts, 1 / 3)
    result = rerank("rent", fused, Reranking(encoder, lambda chunks: {c: texts[c] for c in chunks}))
    assert next(iter(result.final)) == best
    assert result.scores == pytest.approx(scores)


def test_a_damaged_one_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        CrossEncoder(tmp_path, threads=1)
    assert caught.value.code == "not_installed"
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.bin").write_bytes(b"garbage")
    with pytest.raises(ModelError) as caught:
        CrossEncoder(tmp_path, threads=1)
    assert caught.value.code == "incompatible"


def test_numbers_that_are_none_leave_the_order_and_say_so(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with np.load(folder / "head.npz") as held:
        np.savez(tmp_path / "head.npz", **{name: np.full_like(held[name], np.nan) for name in held.files})  # type: ignore[arg-type]
    fused = {1: 0.6, 2: 0.4}
    reranker = CrossEncoder(tmp_path, threads=1)
    result = rerank("q", fused, Reranking(reranker, lambda chunks: dict.fromkeys(chunks, "text")))
    assert result.final == fused
    assert "tiny failed" in result.note
