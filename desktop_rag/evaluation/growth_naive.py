"""What everybody takes first, to be compared with: `SentenceTransformer.encode` as it comes, and rank_bm25."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from desktop_rag import torch_part
from desktop_rag.evaluation.growth_text import PASSAGES, Prose


def default_encoder(folder: Path) -> Callable[[list[str]], float]:
    """A function that encodes texts and tells the seconds; the model is loaded before and has run once."""
    torch_part.require("The comparison with sentence-transformers")
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    model.encode(["A passage."])

    def run(texts: list[str]) -> float:
        begun = time.perf_counter()
        model.encode(texts)
        return time.perf_counter() - begun

    return run


def naive_bm25(chunks: int, questions: Sequence[str]) -> list[float]:
    """Milliseconds of each question over a made-up collection of so many passages, words parted at blanks."""
    from rank_bm25 import BM25Okapi  # type: ignore[import-untyped]

    prose = Prose()
    passages = [prose.text(ranks) for number in range(chunks // PASSAGES) for ranks in prose.document(number)]
    index = BM25Okapi([passage.split() for passage in passages])
    spent = []
    for question in questions:
        begun = time.perf_counter()
        index.get_scores(question.split())
        spent.append(1000 * (time.perf_counter() - begun))
    return spent
