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
from sqlcipher3.dbapi2 import IntegrityError

from desktop_rag.retrieval.analyse import terms
from desktop_rag.retrieval.bm25 import Bm25
from desktop_rag.retrieval.lexical import LexicalIndex, PostingsIndex
from desktop_rag.retrieval.postings import Postings
from desktop_rag.store.connection import open_database, transaction
from desktop_rag.store.key import Key
from desktop_rag.store.packed import LARGE, LARGE_BITS, SEGMENT_BITS
from desktop_rag.store.raw_pages import decrypted_pages

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


class TestMergedIndex(LexicalIndexContract):
    """The same with every passage but the last in the segments."""

    @pytest.fixture
    def index(self, shelf: Any) -> LexicalIndex:
        shelf.index = PostingsIndex(shelf.db, Postings(shelf.db, batch=1))
        made: LexicalIndex = shelf.index
        return made


def test_the_published_toy_scores(shelf: Any) -> None:
    # Of a language without a stemmer and stop words every word counts as it stands, as in the published example.
    chunks = shelf.add(TOY, language="xx")
    for how, expected in (
        (Bm25(1.5, 0.75), [0.839235, 0.920451, 0.222922, 0.460226]),
        (Bm25(1.5, 0.75, "robertson"), [0.0, 0.0, 0.0, 0.0]),
    ):
        scores = shelf.index.search("machine learning", [shelf.collection], how)
        assert [scores.get(chunk, 0.0) for chunk in chunks] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("how", [Bm25(1.2, 0.75), Bm25(1.5, 0.0), Bm25(0.9, 1.0)])
def test_scores_with_our_analyser_follow_the_formula(shelf: Any, how: Bm25) -> None:
    query = "machine machine cooking [PERSON_1] 3 May 2024"
    texts = [*TOY, "[PERSON_1] cooked on 2024-05-03", "[PERSON_1] and [PERSON_2]"]
    chunks = shelf.add(texts)
    scores = shelf.index.search(query, [shelf.collection], how)
    expected = by_hand([terms(text) for text in texts], terms(query), how.k1, how.b)
    assert [scores.get(chunk, 0.0) for chunk in chunks] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("idf", ["lucene", "robertson", "plain"])
def test_an_explanation_sums_to_the_score(shelf: Any, idf: Any) -> None:
    shelf.add([*TOY, "nothing of it", "and nothing again"])
    query, how = "Machine machine parts and cooking, with zebras", Bm25(idf=idf)
    scores = shelf.index.search(query, [shelf.collection], how)
    assert scores
    for chunk, score in scores.items():
        told = shelf.index.explain(query, chunk, [shelf.collection], how)
        assert sum(one.score for one in told) == pytest.approx(score)
        assert [one.score for one in told] == sorted((one.score for one in told), reverse=True)
        assert all(one.score == pytest.approx(one.times * one.idf * one.length_factor) for one in told)
    assert shelf.index.explain("zebras", chunk, [shelf.collection], how) == []


def test_a_word_in_two_languages_is_one_word(shelf: Any) -> None:
    both, *_ = shelf.add(["haus häuser"], language="de") + shelf.add(["häuser", "valve"])
    (told,) = shelf.index.explain("Häuser", both, [shelf.collection])
    assert (told.term, told.frequency, told.passages) == ("haus / häuser", 2, 2)


def test_the_best_are_those_of_a_sorted_list(shelf: Any) -> None:
    shelf.add(["pump", "pump pump", "valve", "pump", "pump and valve", "pump"])
    scores = shelf.index.search("pump valve", [shelf.collection])
    ranked = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    for limit in range(1, len(ranked) + 2):
        assert list(scores.best(limit).items()) == ranked[:limit]


def test_what_is_rolled_back_was_never_there(shelf: Any) -> None:
    shelf.add(["a red valve"])
    shelf.db.execute("BEGIN")
    shelf.db.execute(
        "INSERT INTO chunks (document_id, page_id, ordinal, start, end, context, length)"
        " SELECT document_id, page_id, 1, 0, 4, '', 1 FROM chunks"
    )
    shelf.index.add(2, "pump")
    assert shelf.index.search("pump", [shelf.collection]).keys() == {2}
    shelf.db.execute("ROLLBACK")
    assert shelf.index.search("pump", [shelf.collection]) == {}
    (again,) = shelf.add(["another valve"])
    assert again == 2, "the number is given again"
    assert shelf.index.search("valve", [shelf.collection]).keys() == {1, 2}


def test_a_removed_rare_word_is_nowhere_in_the_decrypted_pages(shelf: Any, tmp_path: Path) -> None:
    shelf.index = PostingsIndex(shelf.db, Postings(shelf.db, batch=2))
    texts = [f"common words {number} of the secretwort{number}" for number in range(12)]
    chunks = shelf.add(texts)
    shelf.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"secretwort7" in b"".join(decrypted_pages(tmp_path / "library.db", bytes(32)))
    shelf.remove(chunks[3:9])
    shelf.db.execute("UPDATE pages SET text = NULL")
    shelf.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    pages = b"".join(decrypted_pages(tmp_path / "library.db", bytes(32)))
    left = [number for number in range(12) if f"secretwort{number}".encode() in pages]
    assert left == [0, 1, 2, 9, 10, 11], "the words of those that stayed are still in the index"


def test_an_index_that_lost_its_way_is_put_right(shelf: Any) -> None:
    shelf.index = PostingsIndex(shelf.db, Postings(shelf.db, batch=1))
    chunks = shelf.add(["a red valve", "a red pump", "the pump"])
    before = dict(shelf.index.search("red pump", [shelf.collection]))
    assert shelf.index.agrees()
    shelf.db.execute("DELETE FROM segments")
    with pytest.raises(IntegrityError):
        shelf.db.execute("DELETE FROM chunks WHERE id = ?", (chunks[0],))
    shelf.db.execute("PRAGMA foreign_keys = OFF")
    shelf.db.execute("DELETE FROM chunks WHERE id = ?", (chunks[0],))
    assert not shelf.index.agrees()
    with transaction(shelf.db):
        shelf.index.rebuild()
    assert shelf.index.agrees()
    assert shelf.index.count() == 2
    assert shelf.db.execute("SELECT count(*) FROM terms WHERE term = 'valv'").fetchone()[0] == 0
    assert shelf.index.search("red pump", [shelf.collection]).keys() == before.keys() - {chunks[0]}


@pytest.fixture
def fresh_shelf(shelf: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Any]:
    """A new shelf on a database of its own each time; hypothesis needs many."""

    def make() -> Any:
        folder: Path = tmp_path_factory.mktemp("shelf")
        return type(shelf)(open_database(folder / "library.db", Key(bytes(32), "file")))

    return make


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), TEXTS),
        st.tuples(st.just("remove"), st.lists(st.integers(0, 20), max_size=4)),
        st.tuples(st.just("again"), st.integers(0, 20)),
        st.tuples(st.just("reopen"), st.integers(1, 3)),
        st.tuples(st.just("rebuild"), st.none()),
    ),
    max_size=8,
)


@pytest.mark.parametrize("bits", [SEGMENT_BITS, LARGE_BITS])
def test_whatever_happens_the_scores_are_those_of_the_formula(fresh_shelf: Callable[[], Any], bits: int) -> None:
    """Over the edge of a small and of a large segment, with and without merging."""

    @settings(max_examples=40, deadline=None)
    @given(STEPS)
    def law(steps: list[tuple[str, Any]]) -> None:
        shelf = fresh_shelf()
        shelf.db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('chunks', ?)", ((1 << bits) - 5,))
        shelf.index = PostingsIndex(shelf.db, Postings(shelf.db, batch=1))
        held: dict[int, str] = {}
        for step, what in steps:
            _take(shelf, held, step, what)
            scores = shelf.index.search("a b ab [X_1]", [shelf.collection])
            texts = [terms(text) for text in held.values()]
            expected = by_hand(texts, terms("a b ab [X_1]"), 1.2, 0.75) if any(texts) else [0.0] * len(held)
            assert [scores.get(chunk, 0.0) for chunk in held] == pytest.approx(expected, abs=1e-9)
            assert scores.keys() <= held.keys()
            assert shelf.index.agrees()
            assert shelf.index.count() == len(held)
            words = {row[0] for row in shelf.db.execute("SELECT term FROM terms")}
            assert words == {word for text in texts for word in text}
        shelf.db.close()

    law()


def test_full_segments_go_over_into_large_ones_in_steps(fresh_shelf: Callable[[], Any]) -> None:
    shelf = fresh_shelf()
    postings = Postings(shelf.db, batch=4)
    shelf.index = PostingsIndex(shelf.db, postings)
    texts = [f"a word{number} again" for number in range(12)]
    shelf.db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('chunks', ?)", ((1 << LARGE_BITS) - 200,))
    for start in range(0, 200, 4):
        shelf.add([*texts[:3], f"rare{start} a"])
    shelf.add(texts)
    numbers = {row[0] for row in shelf.db.execute("SELECT DISTINCT segment FROM segments")}
    assert {LARGE, 1 << (LARGE_BITS - SEGMENT_BITS)} <= numbers
    before = dict(shelf.index.search("a rare8 word2 again", [shelf.collection]))
    with transaction(shelf.db):
        assert not postings.promote(60)
    assert min(row[0] for row in shelf.db.execute("SELECT segment FROM segments")) == 1 << (LARGE_BITS - SEGMENT_BITS)
    assert dict(shelf.index.search("a rare8 word2 again", [shelf.collection])) == before
    assert shelf.index.agrees()
    gone = [chunk for chunk in before if chunk % 3 == 0]
    shelf.remove(gone)
    after = shelf.index.search("a rare8 word2 again", [shelf.collection])
    assert after.keys() == before.keys() - set(gone)
    assert shelf.index.agrees()
    shelf.remove([row[0] for row in shelf.db.execute("SELECT chunk_id FROM forward")])
    assert shelf.db.execute("SELECT count(*) FROM terms").fetchone()[0] == 0
    shelf.db.close()


def _take(shelf: Any, held: dict[int, str], step: str, what: Any) -> None:
    chosen = list(held)
    if step == "add":
        held |= dict(zip(shelf.add(what), what, strict=True))
    elif step == "remove":
        gone = {chosen[number % len(chosen)] for number in what} if chosen else set()
        shelf.remove(sorted(gone))
        for chunk in gone:
            del held[chunk]
    elif step == "again" and chosen:
        chunk = chosen[what % len(chosen)]
        with transaction(shelf.db):
            shelf.index.remove([chunk])
            length = shelf.index.add(chunk, "b ab ab")
            shelf.db.execute("UPDATE chunks SET length = ? WHERE id = ?", (length, chunk))
        held[chunk] = "b ab ab"
    elif step == "reopen":
        shelf.index = PostingsIndex(shelf.db, Postings(shelf.db, batch=what))
    elif step == "rebuild":
        with transaction(shelf.db):
            shelf.index.rebuild()
