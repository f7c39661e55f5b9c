"""TF-IDF: the formula, and its liking for length."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest

from desktop_rag.retrieval.analyse import terms
from desktop_rag.retrieval.tfidf import TfIdf, length_bias

TEXTS = ("red pump", "pump pump valve of the plant", "valve", "green door " * 3, "a pump and a door and a valve")


def by_hand(query: str, cosine: bool) -> list[float]:
    documents = [Counter(terms(text)) for text in TEXTS]
    idf = {
        word: math.log(len(documents) / sum(word in other for other in documents))
        for document in documents
        for word in document
    }
    scores = []
    for document in documents:
        dot = sum(n * idf[word] ** 2 * document[word] for word, n in Counter(terms(query)).items() if word in idf)
        length = math.sqrt(sum((n * idf[word]) ** 2 for word, n in document.items()))
        scores.append(dot / length if cosine else dot)
    return scores


@pytest.mark.parametrize("norm", ["raw", "cosine"])
def test_scores_follow_the_formula(shelf: Any, norm: Any) -> None:
    chunks, search = shelf.add(TEXTS), TfIdf(shelf.index, norm)
    # Another collection changes nothing.
    shelf.add(["pump valve"] * 4, shelf.new_collection("Two"))
    scores = search.search("pump pump valve zebra", [shelf.collection])
    expected = by_hand("pump pump valve zebra", norm == "cosine")
    assert [scores.get(chunk, 0.0) for chunk in chunks] == pytest.approx(expected)


def test_norms_follow_a_change(shelf: Any) -> None:
    search = TfIdf(shelf.index)
    shelf.add(TEXTS[:2])
    search.search("pump", [shelf.collection])
    chunks = [*range(1, 3), *shelf.add(TEXTS[2:])]
    scores = search.search("pump valve", [shelf.collection])
    assert [scores.get(chunk, 0.0) for chunk in chunks] == pytest.approx(by_hand("pump valve", cosine=True))
    assert search.search("zebra", [shelf.collection]) == {}


def test_raw_weights_like_length(shelf: Any) -> None:
    shelf.add(["pump valve", "pump " * 9 + "and much more of the plant and its doors", "door"])
    told = length_bias(shelf.index, ["pump valve"], [shelf.collection])
    assert told["raw"] > told["all"] > told["cosine"] == told["bm25"] == 2
    assert length_bias(shelf.index, ["zebra"], [shelf.collection])["raw"] == 0
