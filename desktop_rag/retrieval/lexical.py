"""BM25 over postings kept in the encrypted database, written in the same transaction as the text.

Scores follow Robertson and Zaragoza (2009) with Lucene's non-negative IDF, ln(1 + (N - n + .5)/(n + .5)),
and tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / average)). Document frequency and average length are
taken at query time, so adding or removing a document rescores nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np

from desktop_rag.retrieval.analyse import ENGLISH, question_terms, terms

K1 = 1.2
B = 0.75
Scores = dict[int, float]


class LexicalIndex(Protocol):
    """Finds chunks by their words."""

    def add(self, chunk: int, text: str) -> int:
        """Index one chunk, in its document's language, in the caller's transaction; returns its length in terms."""
        ...

    def remove(self, chunks: Sequence[int]) -> int:
        """Take chunks out, inside the caller's transaction; returns how many terms went with them."""
        ...

    def search(self, query: str, collections: Sequence[int]) -> Scores:
        """The score of every chunk that shares a term with the query."""
        ...

    def count(self) -> int:
        """How many chunks are indexed."""
        ...

    def missing(self, words: Iterable[str], collections: Sequence[int]) -> set[str]:
        """Those of the terms that no chunk holds."""
        ...

    def analyses(self, text: str, collections: Sequence[int]) -> list[list[str]]:
        """The terms of a text in each language that documents of the collections are in."""
        ...


class PostingsIndex:
    """LexicalIndex over the tables `terms` and `postings`."""

    def __init__(self, connection: Any, *, k1: float = K1, b: float = B) -> None:
        self._db = connection
        self._languages: dict[tuple[int, ...], list[str]] = {}
        self._as_of = -1
        self._k1 = k1
        self._b = b

    def add(self, chunk: int, text: str) -> int:
        """See LexicalIndex."""
        row = self._db.execute(
            "SELECT d.language FROM chunks k JOIN documents d ON d.id = k.document_id WHERE k.id = ?", (chunk,)
        ).fetchone()
        counts = Counter(terms(text, row[0] if row else None))
        self._db.executemany("INSERT OR IGNORE INTO terms (term) VALUES (?)", [(term,) for term in counts])
        self._db.executemany(
            "INSERT INTO postings (term_id, chunk_id, frequency) SELECT id, ?, ? FROM terms WHERE term = ?",
            [(chunk, frequency, term) for term, frequency in counts.items()],
        )
        return sum(counts.values())

    def remove(self, chunks: Sequence[int]) -> int:
        """See LexicalIndex. Terms that nothing uses any more go too: a rare word can be a person's."""
        marks = ",".join("?" * len(chunks))
        touched = [
            row[0]
            for row in self._db.execute(
                f"SELECT DISTINCT term_id FROM postings WHERE chunk_id IN ({marks})", list(chunks)
            )
        ]
        self._db.execute(f"DELETE FROM postings WHERE chunk_id IN ({marks})", list(chunks))
        cursor = self._db.executemany(
            "DELETE FROM terms WHERE id = ? AND NOT EXISTS (SELECT 1 FROM postings WHERE term_id = terms.id)",
            [(term,) for term in touched],
        )
        return max(0, int(cursor.rowcount))

    def search(self, query: str, collections: Sequence[int]) -> Scores:
        """See LexicalIndex."""
        total, average = self._statistics(collections)
        scores: Scores = {}
        for words, weight in question_terms(query, self._spoken(collections)).items():
            postings = np.concatenate([self._postings(word, collections) for word in sorted(words)])
            if not len(postings):
                continue
            for chunk, gain in zip(
                postings[:, 0].tolist(), self._gains(postings, total, average).tolist(), strict=True
            ):
                scores[int(chunk)] = scores.get(int(chunk), 0.0) + weight * gain
        return scores

    def count(self) -> int:
        """See LexicalIndex. A chunk without a single term ("-,-") is indexed too: nothing of it is left to do."""
        query = (
            "SELECT (SELECT count(DISTINCT chunk_id) FROM postings) + (SELECT count(*) FROM chunks WHERE length = 0)"
        )
        return int(self._db.execute(query).fetchone()[0])

    def missing(self, words: Iterable[str], collections: Sequence[int]) -> set[str]:
        """See LexicalIndex."""
        return {word for word in words if not len(self._postings(word, collections))}

    def analyses(self, text: str, collections: Sequence[int]) -> list[list[str]]:
        """See LexicalIndex."""
        return [terms(text, language) for language in self._spoken(collections)]

    def _spoken(self, collections: Sequence[int]) -> list[str]:
        """The languages of the collections' documents; asked of the database again after anything was written to it."""
        if self._as_of != self._db.total_changes:
            self._languages, self._as_of = {}, self._db.total_changes
        key = tuple(collections)
        if key not in self._languages:
            marks = ",".join("?" * len(key))
            query = f"SELECT DISTINCT language FROM documents WHERE collection_id IN ({marks})"
            found = sorted({row[0] or ENGLISH for row in self._db.execute(query, key)})
            self._languages[key] = found or [ENGLISH]
        return self._languages[key]

    def _statistics(self, collections: Sequence[int]) -> tuple[int, float]:
        marks = ",".join("?" * len(collections))
        row = self._db.execute(
            "SELECT count(*), avg(k.length) FROM chunks k JOIN documents d ON d.id = k.document_id"
            f" WHERE d.collection_id IN ({marks})",
            list(collections),
        ).fetchone()
        return int(row[0]), float(row[1] or 1.0)

    def _postings(self, term: str, collections: Sequence[int]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Array [n, 3] of chunk, frequency, length."""
        marks = ",".join("?" * len(collections))
        rows = self._db.execute(
            "SELECT p.chunk_id, p.frequency, k.length FROM postings p JOIN chunks k ON k.id = p.chunk_id"
            f" JOIN documents d ON d.id = k.document_id WHERE p.term_id = (SELECT id FROM terms WHERE term = ?)"
            f" AND d.collection_id IN ({marks})",
            (term, *collections),
        ).fetchall()
        return np.array([tuple(row) for row in rows], dtype=np.float64).reshape(-1, 3)

    def _gains(
        self, postings: np.ndarray[Any, np.dtype[np.float64]], total: int, average: float
    ) -> np.ndarray[Any, np.dtype[np.float64]]:
        idf = math.log(1 + (total - len(postings) + 0.5) / (len(postings) + 0.5))
        frequency, length = postings[:, 1], postings[:, 2]
        saturated = frequency * (self._k1 + 1) / (frequency + self._k1 * (1 - self._b + self._b * length / average))
        return np.asarray(idf * saturated)
