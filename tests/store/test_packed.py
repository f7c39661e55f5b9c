"""The packing of words, and the way of an older library into it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.retrieval.lexical import PostingsIndex
from desktop_rag.store import connection as connecting
from desktop_rag.store import packed
from desktop_rag.store.connection import open_database
from desktop_rag.store.key import Key
from desktop_rag.store.migrations import MIGRATIONS

KEY = Key(bytes(32), "file")
# By passage the words' numbers and frequencies; the second segment begins between the second and the third.
WORDS = {5: {1: 1, 2: 3}, 8190: {1: 2}, 8192: {2: 1, 3: 70_000}, 8193: {}}


@given(st.dictionaries(st.integers(0, 2**31), st.integers(1, 2**17), max_size=20))
def test_packing_keeps_what_it_is_given(words: dict[int, int]) -> None:
    least = {number: min(times, packed.MOST) for number, times in words.items()}
    held = packed.entries(list(words), list(words.values()))
    assert list(held.tolist()) == sorted(least.items())
    chunks, times = np.array(list(words), dtype=np.int64), np.array(list(words.values()), dtype=np.int64)
    for bits in (packed.SEGMENT_BITS, packed.LARGE_BITS):
        made = packed.postings(chunks, times, bits)
        assert packed.frequencies(made, bits).tolist() == list(least.values())
        assert packed.places(made, bits).tolist() == [number % (1 << bits) for number in words]


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library of before."""
    before = next(number for number, script in enumerate(MIGRATIONS) if "CREATE TABLE segments" in script)
    with monkeypatch.context() as patch:
        patch.setattr(connecting, "MIGRATIONS", MIGRATIONS[:before])
        db = open_database(tmp_path / "library.db", KEY)
    for statement in (
        "INSERT INTO collections (id, name, policy, review, created) VALUES (1, 'One', 'keep', 0, 0)",
        "INSERT INTO documents (id, collection_id, path, name, policy, review, state, added, updated)"
        " VALUES ('d', 1, 'p', 'n', 'keep', 0, 'ready', 0, 0)",
        "INSERT INTO pages (id, document_id, ordinal, text) VALUES (1, 'd', 0, '')",
        "INSERT INTO terms (id, term) VALUES (1, 'pump'), (2, 'valv'), (3, 'door')",
    ):
        db.execute(statement)
    for chunk, words in WORDS.items():
        db.execute("INSERT INTO chunks VALUES (?, 'd', 1, 0, 0, 0, '', ?)", (chunk, sum(words.values())))
        rows = [(number, chunk, times) for number, times in words.items()]
        db.executemany("INSERT INTO postings (term_id, chunk_id, frequency) VALUES (?, ?, ?)", rows)
    db.close()
    return tmp_path / "library.db"


def test_an_older_library_is_searched_as_before(old: Path) -> None:
    db = open_database(old, KEY)
    index = PostingsIndex(db)
    assert index.count() == len(WORDS)
    assert index.agrees()
    for number, word in ((1, "pump"), (2, "valves"), (3, "door")):
        having = {chunk: words[number] for chunk, words in WORDS.items() if number in words}
        told = {chunk: index.explain(word, chunk, [1])[0].frequency for chunk in index.search(word, [1])}
        assert told == {chunk: min(times, packed.MOST) for chunk, times in having.items()}
    assert index.remove([5, 8192, 8193]) == 2, "of the words only the first is left"
    assert index.search("pump valve door", [1]).keys() == {8190}
    db.close()
