"""Of every passage its length in words and its collection, in memory: what a score needs beside the words."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from desktop_rag.store.packed import Numbers

_AT_ONCE = 10_000
_QUERY = "SELECT k.id, k.length, d.collection_id FROM chunks k JOIN documents d ON d.id = k.document_id"


@dataclass(frozen=True, slots=True)
class Sizes:
    """Arrays by chunk id; the collection of an id that no passage has is 0."""

    lengths: Numbers
    collections: Numbers
    counts: Numbers
    """Passages of each collection, by its id."""
    totals: Numbers
    """The sum of their lengths."""

    def of(self, collections: Sequence[int]) -> tuple[int, float]:
        """How many passages the collections have, and their average length."""
        known = sorted({each for each in collections if 0 < each < len(self.counts)})
        total = int(self.counts[known].sum())
        return total, float(self.totals[known].sum()) / total if total else 1.0

    def mask(self, collections: Sequence[int]) -> Numbers | None:
        """For each collection id whether it is one of these; None where they are all there are."""
        chosen = np.zeros(len(self.counts), dtype=bool)
        chosen[[each for each in collections if 0 < each < len(chosen)]] = True
        return None if self.counts[~chosen].sum() == 0 else chosen


class Passages:
    """Reads what changed when it is asked, so that nothing has to be undone when a transaction is rolled back."""

    def __init__(self, connection: Any) -> None:
        self._db = connection
        self._lock = threading.Lock()
        self._changed: set[int] = set()
        self._sizes: Sizes | None = None

    def changed(self, chunks: Iterable[int]) -> None:
        """These came, went, or have another length."""
        with self._lock:
            self._changed.update(chunks)

    def sizes(self) -> Sizes:
        """As they are now."""
        with self._lock:
            certain = not self._db.in_transaction
            if self._sizes is None:
                self._sizes = _summed(*self._read((), np.zeros(0, np.int32), np.zeros(0, np.int32)))
            elif self._changed:
                held = self._read(sorted(self._changed), self._sizes.lengths, self._sizes.collections)
                self._sizes = _summed(*held)
            # What is seen inside a transaction may be rolled back: it is looked at again.
            if certain and not self._db.in_transaction:
                self._changed.clear()
            return self._sizes

    def _read(self, chunks: Sequence[int], lengths: Numbers, collections: Numbers) -> tuple[Numbers, Numbers]:
        """Both arrays with these chunks as the database has them, or with all of them."""
        query, args = (f"{_QUERY} WHERE k.id IN (SELECT value FROM json_each(?))", (json.dumps(chunks),))
        cursor = self._db.execute(query, args) if chunks else self._db.execute(_QUERY)
        gone = [chunk for chunk in chunks if chunk < len(lengths)]
        lengths, collections = lengths.copy(), collections.copy()
        lengths[gone] = collections[gone] = 0
        while rows := cursor.fetchmany(_AT_ONCE):
            ids, sizes, owners = np.array([tuple(row) for row in rows], dtype=np.int64).T
            needed = int(ids.max()) + 1
            lengths, collections = _grown(lengths, needed), _grown(collections, needed)
            lengths[ids], collections[ids] = sizes, owners
        return lengths, collections


def _grown(held: Numbers, needed: int) -> Numbers:
    """With room for so many, and for some more."""
    return held if needed <= len(held) else np.append(held, np.zeros(needed + needed // 8 - len(held), held.dtype))


def _summed(lengths: Numbers, collections: Numbers) -> Sizes:
    counts = np.bincount(collections, minlength=1)
    totals = np.bincount(collections, lengths, minlength=1)
    counts[0] = 0
    return Sizes(lengths, collections, counts, totals)
