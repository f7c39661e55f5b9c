"""Ranking quality on a public test collection, where this machine has it (see DATA)."""

from __future__ import annotations

import csv
import json
import math
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from desktop_rag.retrieval.encode import CTranslate2Encoder
from desktop_rag.retrieval.search import search

DATA = Path(os.environ.get("DESKTOP_RAG_DATA") or Path(__file__).parents[2].parent / "shared" / "data")
CRANFIELD = DATA / "retrieval" / "cranfield"
FLOORS = {"bm25": 0.36, "dense": 0.38, "hybrid": 0.42}


def rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def ndcg_at_10(ranking: list[str], judged: dict[str, int]) -> float:
    """Järvelin and Kekäläinen (2002), linear gain, as trec_eval's ndcg_cut_10."""
    gains = [judged.get(document, 0) / math.log2(place + 2) for place, document in enumerate(ranking[:10])]
    ideal = [gain / math.log2(p + 2) for p, gain in enumerate(sorted(judged.values(), reverse=True)[:10])]
    return sum(gains) / sum(ideal) if sum(ideal) else 0.0


def test_ndcg_of_a_known_ranking() -> None:
    assert ndcg_at_10(["a", "x", "b"], {"a": 1, "b": 1}) == pytest.approx((1 + 0.5) / (1 + 1 / math.log2(3)))
    assert ndcg_at_10(["x"], {"a": 2}) == 0


@pytest.mark.slow
@pytest.mark.skipif(not CRANFIELD.is_dir(), reason="the test collection is not on this machine")
def test_cranfield(shelf: Any, minilm: CTranslate2Encoder) -> None:
    corpus, queries = rows(CRANFIELD / "corpus.jsonl"), rows(CRANFIELD / "queries.jsonl")
    judged: dict[str, dict[str, int]] = defaultdict(dict)
    with (CRANFIELD / "qrels" / "test.tsv").open(encoding="utf-8") as file:
        for query, document, relevance in list(csv.reader(file, delimiter="\t"))[1:]:
            judged[query][document] = int(relevance)
    texts = [f"{row['title']}\n{row['text']}" for row in corpus]
    chunks = shelf.add(texts)
    shelf.add_vectors(chunks, minilm.encode_all(texts))
    names = dict(zip(chunks, (row["_id"] for row in corpus), strict=True))
    asked = [query for query in queries if judged[query["_id"]]]
    vectors = minilm.encode_all([query["text"] for query in asked])
    means = {}
    for mode in FLOORS:
        values = []
        for query, vector in zip(asked, vectors, strict=True):
            found = search(
                query["text"],
                {shelf.collection: vector},
                [shelf.collection],
                lexical=shelf.index,
                dense=shelf.vectors,
                mode=mode,
            )
            values.append(ndcg_at_10([names[chunk] for chunk in found.order], judged[query["_id"]]))
        means[mode] = sum(values) / len(values)
    print("cranfield nDCG@10", {mode: round(value, 4) for mode, value in means.items()})
    assert all(means[mode] >= floor for mode, floor in FLOORS.items()), means
