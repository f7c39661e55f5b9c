"""BM25: the published formula, and an index that forgets without a trace."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop_rag.retrieval.analyse import terms
from desktop_rag.retrieval.lexical import LexicalIndex, PostingsIndex
from desktop_rag.store.connection import open_database
from desktop_rag.store.key import Key

TOY = (
    "machine learning is fun",
    "deep learning machine",
    "a very long document about cooking and machine parts and many other unrelated words",
    "learning to cook",
)
TEXTS = st.lists(st.text("ab ", min_size=1, max_size=12), min_size=1, max_size=6)


def by_hand(documents: list[list[str]], query: list[str], k1: float, b: float) -> list[float]:
    """BM25 straight from the formula: ln(1 + (N - n + .5)/(n + .5)) · tf (k1 + 1)/(tf + k1 (1 - b + b·len/avg))."""
    average = sum(map(len, documents)) / len(documents)
    scores = []
    for document in documents:
        score = 0.0
        for word, times in Counter(query).items():
            n = sum(word in other for other in documents)
            tf = document.count(word)
            idf = math.log(1 + (len(documents) - n + 0.5) / (n + 0.5))
            score += times * idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * len(document) / average)) if tf else 0.0
        scores.append(score)
    return scores


class LexicalIndexContract:
    """What every lexical index must do; `shelf` puts texts into its tables."""

    @pytest.fixture
    def index(self, shelf: Any) -> LexicalIndex:
        raise NotImplementedError

    def test_only_chunks_that_share_a_term_have_a_score(self, shelf: Any, index: LexicalIndex) -> None:
        pump, valve, neither = shelf.add(["the feed pump", "a red valve", "nothing at all"])
        scores = index.search("pump or valve", [shelf.collection])
        assert scores.keys() == {pump, valve}
        assert all(score > 0 for score in scores.values())
        assert neither not in scores
        assert index.search("", [shelf.collection]) == index.search("zebra", [shelf.collection]) == {}

    def test_a_collection_neither_gives_hits_nor_statistics_to_another(self, shelf: Any, index: LexicalIndex) -> None:
        other = shelf.new_collection("Two")
        mine = shelf.add(["the feed pump", "a red valve"])
        alone = index.search("pump", [shelf.collection])
        shelf.add(["pump pump pump"] * 5, other)
        assert index.search("pump", [shelf.collection]) == alone
        assert alone.keys() == {mine[0]}
        assert len(index.search("pump", [shelf.collection, other])) == 6

    def test_missing_words(self, shelf: Any, index: LexicalIndex) -> None:
        shelf.add(["pump K-103"])
        assert index.missing(["pump", "k-103", "k-999", "zebra"], [shelf.collection]) == {"k-999", "zebra"}
        assert index.missing(["pump"], [shelf.new_collection("Two")]) == {"pump"}

    def test_a_removed_chunk_leaves_no_term_behind(self, shelf: Any, index: LexicalIndex) -> None:
        kept, gone = shelf.add(["common word", "common secretword"])
        shelf.remove([gone])
        assert index.count() == 1
        assert index.search("common secretword", [shelf.collection]).keys() == {kept}
        assert index.missing(["secretword"], [shelf.collection]) == {"secretword"}

    def test_a_chunk_without_terms_counts_as_indexed(self, shelf: Any, index: LexicalIndex) -> None:
        shelf.add(["rent", "-,-"])
        assert index.count() == 2

    def test_pseudonyms_are_searched_whole(self, shelf: Any, index: LexicalIndex) -> None:
        third, thirtieth = shelf.add(["[PERSON_3] signed", "[PERSON_30] signed"])
        assert index.search("[PERSON_3]", [shelf.collection]).keys() == {third}
        assert index.search("[PERSON_30]", [shelf.collection]).keys() == {thirtieth}
        assert index.search("PERSON 3", [shelf.collection]) == {}

    def test_a_question_finds_documents_in_their_own_language(self, shelf: Any, index: LexicalIndex) -> None:
        german, english = shelf.add(["Die Häuser sind alt"], language="de") + shelf.add(["The houses are old"])
        assert index.search("Haus", [shelf.collection]).keys() == {german}
        assert index.search("house", [shelf.collection]).keys() == {english}
        assert index.search("die", [shelf.collection]) == {}, "it carries other words in one, and stands in none"
        assert sorted(index.analyses("Häuser", [shelf.collection])) == [["haus"], ["häuser"]]

    def test_a_document_of_a_mistaken_language_is_not_found_first(self, shelf: Any, index: LexicalIndex) -> None:
        right, *_ = shelf.add(["the pumps of the plant stopped", *["the valve of a pump"] * 5], language="en")
        shelf.add(
            ["the best of all the valves and pumps, of which there are many in the plant of the town"], language="cy"
        )
        scores = index.search("Which pumps of the plant stopped?", [shelf.collection])
        assert max(scores, key=lambda chunk: scores[chunk]) == right


class TestPostingsIndex(LexicalIndexContract):
    @pytest.fixture
    def index(self, shelf: Any) -> LexicalIndex:
        made: LexicalIndex = shelf.index
        return made

    def test_no_unused_term_stays_in_the_database(self, shelf: Any) -> None:
        (gone,) = shelf.add(["secretword"])
        shelf.remove([gone])
        assert shelf.db.execute("SELECT count(*) FROM terms").fetchone()[0] == 0


def test_the_published_toy_scores(shelf: Any) -> None:
    shelf.index = PostingsIndex(shelf.db, k1=1.5, b=0.75)
    # Of a language without a stemmer and stop words every word counts as it stands, as in the published example.
    chunks = shelf.add(TOY, language="xx")
    scores = shelf.index.search("machine learning", [shelf.collection])
    assert [scores[chunk] for chunk in chunks] == pytest.approx([0.839235, 0.920451, 0.222922, 0.460226], abs=1e-6)


@pytest.mark.parametrize(("k1", "b"), [(1.2, 0.75), (1.5, 0.0), (0.9, 1.0)])
def test_scores_with_our_analyser_follow_the_formula(shelf: Any, k1: float, b: float) -> None:
    shelf.index = PostingsIndex(shelf.db, k1=k1, b=b)
    query = "machine machine cooking [PERSON_1] 3 May 2024"
    texts = [*TOY, "[PERSON_1] cooked on 2024-05-03", "[PERSON_1] and [PERSON_2]"]
    chunks = shelf.add(texts)
    scores = shelf.index.search(query, [shelf.collection])
    expected = by_hand([terms(text) for text in texts], terms(query), k1, b)
    assert [scores.get(chunk, 0.0) for chunk in chunks] == pytest.approx(expected, abs=1e-9)


@pytest.fixture
def fresh_shelf(shelf: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Any]:
    """A new shelf on a database of its own each time; hypothesis needs many."""

    def make() -> Any:
        folder: Path = tmp_path_factory.mktemp("shelf")
        return type(shelf)(open_database(folder / "library.db", Key(bytes(32), "file")))

    return make


def test_adding_and_removing_leaves_the_scores_of_a_fresh_index(fresh_shelf: Callable[[], Any]) -> None:
    @settings(max_examples=15, deadline=None)
    @given(TEXTS, TEXTS, TEXTS)
    def law(before: list[str], gone: list[str], after: list[str]) -> None:
        used, fresh = fresh_shelf(), fresh_shelf()
        kept = used.add(before)
        leaving = used.add(gone)
        kept += used.add(after)
        used.remove(leaving)
        same = fresh.add([*before, *after])
        one = used.index.search("a b ab", [used.collection])
        other = fresh.index.search("a b ab", [fresh.collection])
        used.db.close()
        fresh.db.close()
        assert [one.get(c) for c in kept] == [other.get(c) for c in same]
        assert len(one) == len(other)

    law()
