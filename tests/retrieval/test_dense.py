"""Dense search: the store in the database is exact, Chroma finds the same and can be lost without harm."""

from __future__ import annotations

import shutil
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from desktop_rag.retrieval.chroma import ChromaCache, ErasedVectorsError
from desktop_rag.retrieval.encode import EncoderCard, Vectors
from desktop_rag.store.collections import Collections
from desktop_rag.store.connection import transaction

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture
def chroma(tmp_path: Path) -> Iterator[ChromaCache]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import chromadb  # noqa: F401 - its import warns
    cache = ChromaCache(tmp_path / "chroma")
    yield cache
    cache.close()


@pytest.fixture
def filled(shelf: Any, random_vectors: Vectors) -> list[int]:
    chunks: list[int] = shelf.add(["x"] * 60)
    shelf.add_vectors(chunks, random_vectors[:60])
    return chunks


def ids_in(cache: ChromaCache, collection: int, vectors: Vectors) -> set[int]:
    return set(cache.search(vectors[0], collection, 10_000))


def test_the_store_is_exact(shelf: Any, random_vectors: Vectors) -> None:
    chunks = shelf.add(["x"] * 50)
    shelf.add_vectors(chunks, random_vectors[:50])
    query = random_vectors[77]
    cosines = random_vectors[:50].astype(np.float16).astype(np.float32) @ query
    best = sorted(range(50), key=lambda i: -cosines[i])[:7]
    assert shelf.vectors.search(query, shelf.collection, 7) == pytest.approx(
        {chunks[i]: float(cosines[i]) for i in best}
    )
    assert shelf.vectors.count() == shelf.vectors.count(shelf.collection) == 50
    assert len(shelf.vectors.search(query, shelf.collection, 500)) == 50
    assert shelf.vectors.search(query, shelf.new_collection("Two"), 5) == {}


def test_half_precision_keeps_cosines(shelf: Any, random_vectors: Vectors) -> None:
    chunks = shelf.add(["x"] * 20)
    shelf.add_vectors(chunks, random_vectors[:20])
    held = shelf.vectors.get(chunks)
    assert all(float(held[c] @ v) > 0.9999 for c, v in zip(chunks, random_vectors, strict=False))


def test_a_changed_collection_is_read_anew(shelf: Any, filled: list[int], random_vectors: Vectors) -> None:
    shelf.vectors.search(random_vectors[0], shelf.collection, 3)
    shelf.remove(filled[:1])
    shelf.vectors.changed(shelf.collection)
    assert filled[0] not in shelf.vectors.search(random_vectors[0], shelf.collection, 60)


def test_what_was_written_since_is_read_and_nothing_else(
    shelf: Any, filled: list[int], random_vectors: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = shelf.vectors
    store.matrix(shelf.collection)
    read: list[int] = []
    halves = store._halves

    def noted(chunks: list[int]) -> Any:
        read.extend(chunks)
        return halves(chunks)

    monkeypatch.setattr(store, "_halves", noted)
    shelf.remove(filled[5:7])
    # One is encoded anew under its old number, two come.
    more = shelf.add(["y", "z"])
    shelf.add_vectors([filled[0], *more], random_vectors[100:103])
    ids, vectors = store.matrix(shelf.collection)
    assert read == [filled[0], *more]
    assert ids.tolist() == sorted({*filled, *more} - {*filled[5:7]})
    assert store.search(random_vectors[100], shelf.collection, 1) == pytest.approx({filled[0]: 1}, abs=1e-3)
    assert store.search(random_vectors[102], shelf.collection, 1) == pytest.approx({more[1]: 1}, abs=1e-3)
    assert store.search(random_vectors[40], shelf.collection, 1) == pytest.approx({filled[40]: 1}, abs=1e-3)
    store.matrix(shelf.collection)
    assert len(read) == 3
    assert vectors.dtype == np.float16


@pytest.mark.parametrize("change_at", [0, 1, 3])
def test_what_changes_while_the_vectors_are_loaded_is_seen(
    shelf: Any, filled: list[int], random_vectors: Vectors, monkeypatch: pytest.MonkeyPatch, change_at: int
) -> None:
    monkeypatch.setattr("desktop_rag.retrieval.vectors._BLOCK", 20)
    more: list[int] = []
    for step, _ in enumerate(shelf.vectors.load(shelf.collection), start=1):
        if step == max(change_at, 1):
            shelf.remove([filled[1], filled[-1]])
            more = shelf.add(["y"])
            shelf.add_vectors([filled[0], *more], random_vectors[100:102])
            shelf.vectors.changed(shelf.collection)
            if not change_at:
                # A question comes before all is loaded.
                assert shelf.vectors.search(random_vectors[101], shelf.collection, 1).keys() == {*more}
    ids, vectors = shelf.vectors.matrix(shelf.collection)
    assert ids.tolist() == sorted({*filled, *more} - {filled[1], filled[-1]})
    held = shelf.vectors.get(ids.tolist())
    assert np.array_equal(np.stack([held[chunk] for chunk in ids.tolist()]), vectors.astype(np.float32))
    assert not list(shelf.vectors.load(shelf.collection)), "it is loaded"


def test_a_changed_encoder_ends_a_loading(shelf: Any, filled: list[int], random_vectors: Vectors) -> None:
    loading = shelf.vectors.load(shelf.collection)
    next(loading)
    shelf.vectors.forget(shelf.collection)
    list(loading)
    shelf.add_vectors(filled, random_vectors[100:160])
    assert shelf.vectors.search(random_vectors[100], shelf.collection, 1) == pytest.approx({filled[0]: 1}, abs=1e-3)


def test_only_the_vectors_of_the_encoder_in_use_are_searched(
    shelf: Any, filled: list[int], random_vectors: Vectors
) -> None:
    other = shelf.vectors.encoder_id(EncoderCard("other", 384, 1, "other", {}))
    with transaction(shelf.db):
        shelf.vectors.add(other, dict(zip(filled[:7], random_vectors[200:207], strict=True)))
    assert (shelf.vectors.count(), shelf.vectors.count(shelf.collection, other)) == (60, 7)
    assert shelf.vectors.get(filled[:1])[filled[0]] @ random_vectors[0] == pytest.approx(1, abs=1e-3)
    assert max(shelf.vectors.search(random_vectors[200], shelf.collection, 60).values()) < 0.5
    with transaction(shelf.db):
        Collections(shelf.db).set_encoder(shelf.collection, other)
    shelf.vectors.forget(shelf.collection)
    assert shelf.vectors.search(random_vectors[203], shelf.collection, 1) == pytest.approx({filled[3]: 1}, abs=1e-3)
    assert Collections(shelf.db).remove_left_over(shelf.collection, 50) == 50
    assert Collections(shelf.db).remove_left_over(shelf.collection, 50) == 10
    assert shelf.vectors.count() == 7


def test_of_many_vectors_the_nearest_are_found_by_their_signs(shelf: Any) -> None:
    """Directions that crowd together, as real ones do, around a mean that is not zero."""
    random = np.random.default_rng(3)
    topics = random.normal(size=(60, 384))
    made = topics[random.integers(60, size=20_000)] + 0.7 * random.normal(size=(20_000, 384)) + 1.5
    made = np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), dtype=np.float32)
    shelf.vectors._cache[shelf.collection] = (np.arange(20_000) + 7, made.astype(np.float16))
    missed = 0
    for query in made[:40] + 0.02 * made[100:140]:
        exact = set((np.argsort(-(made @ query))[:10] + 7).tolist())
        found = shelf.vectors.search(query, shelf.collection, 100)
        assert len(found) == 100
        missed += len(exact - set(sorted(found, key=lambda chunk: -found[chunk])[:10]))
    assert missed <= 4


def test_a_dimension_that_no_byte_divides(shelf: Any) -> None:
    made = np.random.default_rng(5).normal(size=(5000, 37)).astype(np.float32)
    shelf.vectors._cache[shelf.collection] = (np.arange(5000), made.astype(np.float16))
    assert max(found := shelf.vectors.search(made[4321], shelf.collection, 3), key=lambda chunk: found[chunk]) == 4321


@pytest.mark.slow
def test_chroma_finds_the_ten_nearest_of_two_thousand(chroma: ChromaCache, random_vectors: Vectors) -> None:
    chroma.add(1, range(1, 2001), random_vectors)
    queries = random_vectors[:40] + 0.05 * random_vectors[1000:1040]
    missed = 0
    for query in queries:
        exact = {int(i) + 1 for i in np.argsort(-(random_vectors @ query))[:10]}
        # As the library asks: a wide net, ranked by exact scores afterwards.
        missed += len(exact - set(chroma.search(query, 1, 200)))
    assert missed == 0


class TestRepair:
    def test_a_cache_that_agrees_is_left_alone(self, shelf: Any, chroma: ChromaCache, filled: list[int]) -> None:
        assert chroma.repair(shelf.collection, shelf.vectors) == len(filled)
        assert chroma.repair(shelf.collection, shelf.vectors) == 0

    def test_missing_ids_are_put_right_and_no_matrix_is_kept_in_memory(
        self, shelf: Any, chroma: ChromaCache, filled: list[int], random_vectors: Vectors
    ) -> None:
        chroma.repair(shelf.collection, shelf.vectors)
        shelf.add_vectors(more := shelf.add(["y"] * 9), random_vectors[60:69])
        assert chroma.repair(shelf.collection, shelf.vectors) == 9
        assert ids_in(chroma, shelf.collection, random_vectors) == {*filled, *more}
        assert chroma.search(random_vectors[61], shelf.collection, 1) == [more[1]]
        assert shelf.vectors._cache == {}

    def test_a_deleted_folder_is_filled_again(
        self, shelf: Any, chroma: ChromaCache, filled: list[int], random_vectors: Vectors, tmp_path: Path
    ) -> None:
        chroma.repair(shelf.collection, shelf.vectors)
        chroma.close()
        shutil.rmtree(tmp_path / "chroma")
        assert chroma.repair(shelf.collection, shelf.vectors) == len(filled)
        assert ids_in(chroma, shelf.collection, random_vectors) == set(filled)

    def test_discarding_starts_afresh(self, shelf: Any, chroma: ChromaCache, filled: list[int], tmp_path: Path) -> None:
        chroma.repair(shelf.collection, shelf.vectors)
        chroma.discard()
        assert not (tmp_path / "chroma").exists()
        assert chroma.count(shelf.collection) == 0
        assert chroma.repair(shelf.collection, shelf.vectors) == len(filled)

    def test_ids_too_many_are_refused_because_their_vectors_cannot_be_deleted(
        self, shelf: Any, chroma: ChromaCache, filled: list[int]
    ) -> None:
        chroma.repair(shelf.collection, shelf.vectors)
        shelf.remove(filled[:1])
        with pytest.raises(ErasedVectorsError):
            chroma.repair(shelf.collection, shelf.vectors)


@pytest.mark.parametrize("number", [5, 1500])
def test_vectors_are_readable_in_the_files_until_these_are_discarded(
    chroma: ChromaCache, random_vectors: Vectors, number: int
) -> None:
    """Few vectors lie in Chroma's log as they came, many in its graph with length one."""
    wanted = 3 * random_vectors[3]
    assert not chroma.holds([wanted])
    chroma.add(1, range(1, number + 1), 3 * random_vectors[:number])
    assert chroma.holds([random_vectors[1999], wanted])
    assert not chroma.holds([random_vectors[1999]])
    assert not chroma.holds([])
    chroma.close()
    assert chroma.holds([wanted])
    chroma.discard()
    assert not chroma.holds([wanted])


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can fill new memory")
def test_nothing_else_of_this_process_s_memory_lies_in_the_graphs_file(
    chroma: ChromaCache, random_vectors: Vectors, tmp_path: Path
) -> None:
    for _ in range(10):
        junk = [np.full(170_000, 65 + i % 20, np.uint8) for i in range(60)]
        del junk
        chroma.add(1, [1], random_vectors[:1])
        chroma.close()
        (graph,) = tmp_path.rglob("data_level0.bin")
        # Behind the one vector with its links and its label there is only room.
        assert len(set(graph.read_bytes()[2000:])) <= 2
        chroma.discard()


def test_collections_do_not_mix(chroma: ChromaCache, random_vectors: Vectors) -> None:
    chroma.add(1, [1, 2], random_vectors[:2])
    chroma.add(2, [3], random_vectors[2:3])
    assert set(chroma.search(random_vectors[0], 1, 10)) == {1, 2}
    assert sorted(chroma.collections()) == [1, 2]
    assert (chroma.count(1), chroma.count(2)) == (2, 1)


def test_no_text_lies_in_chromas_files(chroma: ChromaCache, random_vectors: Vectors, tmp_path: Path) -> None:
    chroma.add(1, [1], random_vectors[:1])
    held = chroma._collection(1).get(include=["documents", "metadatas"])
    assert held["documents"] in (None, [None])
    assert held["metadatas"] in (None, [None])
