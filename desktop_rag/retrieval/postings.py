"""Which words each passage has, and which passages each word is in: the tables of the word index.

`forward` is the truth, written in the transaction of the text. `segments` is made from it in batches, in the same
transaction as the passage that fills one, so that reading a word means reading a few blobs. What waits for its batch
is read from `forward`, and kept in memory. The rows of a segment lie together: adding and removing a document touches
one neighbourhood of the file. What nothing comes to any more goes over into large segments, some words at every batch:
a word of a million passages would else be read from a hundred places.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from desktop_rag.store import packed
from desktop_rag.store.packed import ENTRY, LARGE, LARGE_BITS, POSTING, SEGMENT_BITS, Numbers, segment_of

# Merging so many passages at once keeps a step under 100 ms.
_BATCH = 256
# Of words that so many passages have, the passages stay in memory after a question, up to so many in all (8 bytes
# each): questions share their common words, and rare ones are read in no time.
_COMMON, _MOST_KEPT = 1_000, 4_000_000
# Beside a batch so long is spent on large segments, by so many words at a time.
_PROMOTING_SECONDS, _PROMOTED = 0.05, 32


# Joining two blobs makes a text of their bytes, which is turned back.
_APPEND = (
    "INSERT INTO segments (segment, term_id, postings) VALUES (?, ?, ?) ON CONFLICT (segment, term_id)"
    " DO UPDATE SET postings = CAST(postings || excluded.postings AS BLOB)"
)


@dataclass(frozen=True, slots=True)
class Entries:
    """Words of passages: three arrays of one length."""

    chunks: Numbers
    terms: Numbers
    frequencies: Numbers

    @classmethod
    def read(cls, rows: Sequence[tuple[int, bytes]]) -> Entries:
        """From rows of `forward`."""
        held = np.frombuffer(b"".join(blob for _, blob in rows), ENTRY)
        sizes = [len(blob) // ENTRY.itemsize for _, blob in rows]
        chunks = np.repeat(np.array([chunk for chunk, _ in rows], dtype=np.int64), sizes)
        return cls(chunks, held["term"].astype(np.int64), held["frequency"].astype(np.int64))

    def where(self, chosen: Numbers) -> Entries:
        """Those that an array of truths chooses."""
        return Entries(self.chunks[chosen], self.terms[chosen], self.frequencies[chosen])


Hits = tuple[Numbers, Numbers]
"""Chunk ids and a word's frequency in each, in no order."""


class Postings:
    """The words of passages by their ids. Writing happens in the caller's transaction."""

    def __init__(self, connection: Any, batch: int = _BATCH) -> None:
        self._db = connection
        self._batch = batch
        # None: to be read again. What was read inside a transaction is not kept, for it may be rolled back, nor what
        # was read in another thread while something changed.
        self._waiting: Entries | None = None
        self._kept: dict[int, Hits] = {}
        self._changes = 0
        self._lock = threading.Lock()

    def add(self, chunk: int, counts: Mapping[str, int]) -> None:
        """Note a passage's words and how often it has each."""
        self._change()
        numbers = self.numbers(counts)
        if new := [word for word in counts if word not in numbers]:
            self._db.executemany("INSERT INTO terms (term) VALUES (?)", [(word,) for word in new])
            numbers |= self.numbers(new)
        held = packed.entries([numbers[word] for word in counts], list(counts.values()))
        self._db.execute("INSERT INTO forward (chunk_id, terms) VALUES (?, ?)", (chunk, held.tobytes()))
        self._db.execute("INSERT INTO unmerged (chunk_id) VALUES (?)", (chunk,))
        if self._db.execute("SELECT count(*) FROM unmerged").fetchone()[0] >= 2 * self._batch:
            self._merge()

    def remove(self, chunks: Sequence[int]) -> int:
        """Take passages out, and words that nothing uses any more: a rare one can be a person's. Returns how many."""
        self._change()
        asked = json.dumps(list(chunks))
        held = Entries.read(self._rows("SELECT chunk_id, terms FROM forward WHERE chunk_id IN (", asked))
        unmerged = [row[0] for row in self._rows("SELECT chunk_id FROM unmerged WHERE chunk_id IN (", asked)]
        merged = held.where(~np.isin(held.chunks, unmerged))
        for bits in (SEGMENT_BITS, LARGE_BITS):
            for place in np.unique(merged.chunks >> bits).tolist():
                self._cut(place << bits, bits, merged.where(merged.chunks >> bits == place))
        for table in ("forward", "unmerged"):
            self._db.execute(f"DELETE FROM {table} WHERE chunk_id IN (SELECT value FROM json_each(?))", (asked,))
        unused = self._unused(np.unique(held.terms))
        self._db.executemany("DELETE FROM terms WHERE id = ?", [(number,) for number in unused])
        return len(unused)

    def read(self, words: Collection[str]) -> dict[str, Hits]:
        """By word the passages that have it; a word that none has is left out."""
        before, numbers = self._changes, self.numbers(words)
        kept = {number: self._kept[number] for number in numbers.values() if number in self._kept}
        found: dict[int, list[tuple[int, bytes]]] = {number: [] for number in numbers.values() if number not in kept}
        query = (
            "SELECT term_id, segment, postings FROM segments WHERE segment IN (SELECT value FROM json_each(?))"
            " AND term_id IN (SELECT value FROM json_each(?))"
        )
        for number, segment, blob in self._db.execute(query, (json.dumps(self._segments()), json.dumps(list(found)))):
            found[number].append((segment, blob))
        merged = kept | {number: _merged(blobs) for number, blobs in found.items()}
        self._keep(merged, before)
        waiting = self._delta()
        hits = {word: _with(merged[number], waiting, number) for word, number in numbers.items()}
        return {word: held for word, held in hits.items() if len(held[0])}

    def words(self, chunks: Sequence[int]) -> Entries:
        """The words of some passages."""
        return Entries.read(self._rows("SELECT chunk_id, terms FROM forward WHERE chunk_id IN (", json.dumps(chunks)))

    def numbers(self, words: Iterable[str]) -> dict[str, int]:
        """The numbers that stand for words, of those that the index has."""
        query = "SELECT term, id FROM terms WHERE term IN (SELECT value FROM json_each(?))"
        return {row[0]: row[1] for row in self._db.execute(query, (json.dumps(list(words)),))}

    def count(self) -> int:
        """How many passages are noted, those without a single word ("-,-") too."""
        return int(self._db.execute("SELECT count(*) FROM forward").fetchone()[0])

    def leftover(self, after: int, upto: int) -> bool:
        """Whether a word numbered above `after` and up to `upto` belongs to no passage."""
        rows = self._db.execute("SELECT id FROM terms WHERE id > ? AND id <= ?", (after, upto))
        return bool(self._unused(np.array([row[0] for row in rows], dtype=np.int64)))

    def agrees(self) -> bool:
        """Whether both ways tell of as many words in passages."""
        query = "SELECT coalesce(sum(length(terms)), 0) FROM forward"
        forward = self._db.execute(query).fetchone()[0] // ENTRY.itemsize
        made = self._db.execute("SELECT coalesce(sum(length(postings)), 0) FROM segments").fetchone()[0]
        return bool(forward == made // POSTING.itemsize + len(self._delta().terms))

    def rebuild(self) -> None:
        """Make the segments anew from the passages that there are, in the caller's transaction."""
        self._change()
        for statement in (
            "DELETE FROM forward WHERE chunk_id NOT IN (SELECT id FROM chunks)",
            "DELETE FROM segments",
            "INSERT OR IGNORE INTO unmerged SELECT chunk_id FROM forward",
            "DELETE FROM unmerged WHERE chunk_id NOT IN (SELECT chunk_id FROM forward)",
        ):
            self._db.execute(statement)
        while self._db.execute("SELECT count(*) FROM unmerged").fetchone()[0] > self._batch:
            self._merge()
        unused = self._unused(np.array([row[0] for row in self._db.execute("SELECT id FROM terms")], dtype=np.int64))
        self._db.executemany("DELETE FROM terms WHERE id = ?", [(number,) for number in unused])

    def _merge(self) -> None:
        """Bring the oldest batch of those that wait into the segments."""
        self._change()
        rows = self._db.execute(
            "SELECT u.chunk_id, f.terms FROM unmerged u JOIN forward f ON f.chunk_id = u.chunk_id"
            " ORDER BY u.chunk_id LIMIT ?",
            (self._batch,),
        ).fetchall()
        held = Entries.read(rows)
        segments = held.chunks >> SEGMENT_BITS
        order = np.lexsort((held.chunks, held.terms, segments))
        held, segments = held.where(order), segments[order]
        fresh = np.flatnonzero(np.diff(segments, prepend=-1) | np.diff(held.terms, prepend=-1))
        bounds = (np.append(fresh, len(segments)) * POSTING.itemsize).tolist()
        blob = packed.postings(held.chunks, held.frequencies).tobytes()
        parts = zip(segments[fresh].tolist(), held.terms[fresh].tolist(), pairwise(bounds), strict=True)
        self._db.executemany(_APPEND, ((segment, term, blob[start:end]) for segment, term, (start, end) in parts))
        self._db.executemany("DELETE FROM unmerged WHERE chunk_id = ?", [(row[0],) for row in rows])
        self.promote(_PROMOTING_SECONDS)

    def promote(self, seconds: float) -> bool:
        """Bring words of the oldest small segments over into their large one, if it is full; whether more is to come.

        In the caller's transaction. A word is in either or in both: reading looks at both.
        """
        end = time.monotonic() + seconds
        while (first := self._oldest()) is not None:
            self._change()
            large = segment_of(packed.first_of(first), LARGE_BITS)
            small = range(first, segment_of(packed.first_of(large + 1)))
            query = "SELECT term_id FROM segments WHERE segment = ? ORDER BY term_id LIMIT ?"
            asked = json.dumps([row[0] for row in self._db.execute(query, (first, _PROMOTED))])
            within = (
                " WHERE segment IN (SELECT value FROM json_each(?)) AND term_id IN (SELECT value FROM json_each(?))"
            )
            moving = (json.dumps(list(small)), asked)
            blobs: dict[int, list[tuple[int, bytes]]] = {}
            for term, segment, blob in self._db.execute(
                f"SELECT term_id, segment, postings FROM segments{within}", moving
            ):
                blobs.setdefault(term, []).append((segment, blob))
            made = [(large, term, _large(held)) for term, held in blobs.items()]
            self._db.executemany(_APPEND, made)
            self._db.execute(f"DELETE FROM segments{within}", moving)
            if time.monotonic() > end:
                return self._oldest() is not None
        return False

    def _oldest(self) -> int | None:
        """The oldest small segment of a large one that nothing comes to any more."""
        first = self._db.execute("SELECT min(segment) FROM segments").fetchone()[0]
        last = self._db.execute("SELECT max(segment) FROM segments WHERE segment < ?", (LARGE,)).fetchone()[0]
        if last is None or first >> (LARGE_BITS - SEGMENT_BITS) == last >> (LARGE_BITS - SEGMENT_BITS):
            return None
        return int(first)

    def _cut(self, first: int, bits: int, gone: Entries) -> None:
        """Take passages out of the blobs of their words in one segment, which begins with the passage `first`."""
        segment = segment_of(first, bits)
        if self._db.execute("SELECT 1 FROM segments WHERE segment = ? LIMIT 1", (segment,)).fetchone() is None:
            return
        leaving = np.zeros(1 << bits, dtype=bool)
        leaving[gone.chunks - first] = True
        asked = json.dumps(np.unique(gone.terms).tolist())
        changed, empty = [], []
        query = (
            "SELECT term_id, postings FROM segments WHERE segment = ? AND term_id IN (SELECT value FROM json_each(?))"
        )
        for term, blob in self._db.execute(query, (segment, asked)):
            held = np.frombuffer(blob, POSTING)
            kept = held[~leaving[packed.places(held, bits)]]
            if len(kept):
                changed.append((kept.tobytes(), segment, term))
            else:
                empty.append((segment, term))
        self._db.executemany("UPDATE segments SET postings = ? WHERE segment = ? AND term_id = ?", changed)
        self._db.executemany("DELETE FROM segments WHERE segment = ? AND term_id = ?", empty)

    def _unused(self, terms: Numbers) -> list[int]:
        """Those of the words that no passage has."""
        asked = json.dumps(terms[~np.isin(terms, self._delta().terms)].tolist())
        query = (
            "SELECT t.value FROM json_each(?) t WHERE NOT EXISTS (SELECT 1 FROM segments"
            " WHERE segment IN (SELECT value FROM json_each(?)) AND term_id = t.value)"
        )
        return [row[0] for row in self._db.execute(query, (asked, json.dumps(self._segments())))]

    def _delta(self) -> Entries:
        """The words of the passages that wait for their batch."""
        waiting = self._waiting
        if waiting is None:
            before, certain = self._changes, not self._db.in_transaction
            query = "SELECT u.chunk_id, f.terms FROM unmerged u JOIN forward f ON f.chunk_id = u.chunk_id"
            waiting = Entries.read(self._db.execute(query).fetchall())
            with self._lock:
                if certain and not self._db.in_transaction and self._changes == before:
                    self._waiting = waiting
        return waiting

    def _keep(self, merged: Mapping[int, Hits], before: int) -> None:
        """Keep the common words of a question, the oldest ones going first."""
        kept = {number: hits for number, hits in self._kept.items() if number not in merged}
        kept |= {number: hits for number, hits in merged.items() if len(hits[0]) >= _COMMON}
        size = sum(len(chunks) for chunks, _ in kept.values())
        while size > _MOST_KEPT:
            chunks, _ = kept.pop(next(iter(kept)))
            size -= len(chunks)
        with self._lock:
            if not self._db.in_transaction and self._changes == before:
                self._kept = kept

    def _change(self) -> None:
        with self._lock:
            self._changes += 1
            self._waiting, self._kept = None, {}

    def _segments(self) -> list[int]:
        """The numbers that segments have, and some that none has."""
        first, last = (self._db.execute(f"SELECT {end}(segment) FROM segments").fetchone()[0] for end in ("min", "max"))
        if last is None or last < LARGE:
            return [] if last is None else list(range(first, last + 1))
        small = self._db.execute("SELECT max(segment) FROM segments WHERE segment < ?", (LARGE,)).fetchone()[0]
        return [*([] if small is None else range(first, small + 1)), *range(LARGE, last + 1)]

    def _rows(self, query: str, asked: str) -> list[Any]:
        return list(self._db.execute(f"{query}SELECT value FROM json_each(?))", (asked,)))


def _merged(blobs: Sequence[tuple[int, bytes]]) -> Hits:
    """The passages of a word from its blobs, each with the number of its segment."""
    both = [_unpacked(blobs, bits) for bits in (SEGMENT_BITS, LARGE_BITS)]
    (few, in_few), (many, in_many) = both
    return np.concatenate([few, many]), np.concatenate([in_few, in_many])


def _unpacked(blobs: Sequence[tuple[int, bytes]], bits: int) -> Hits:
    """From the segments of one size."""
    chosen = [(segment, blob) for segment, blob in blobs if packed.bits_of(segment) == bits]
    held = np.frombuffer(b"".join(blob for _, blob in chosen), POSTING)
    first = np.repeat(
        np.array([packed.first_of(segment) for segment, _ in chosen], dtype=np.int32),
        [len(blob) // POSTING.itemsize for _, blob in chosen],
    )
    return packed.places(held, bits).astype(np.int32) + first, packed.frequencies(held, bits).astype(np.int32)


def _large(blobs: Sequence[tuple[int, bytes]]) -> bytes:
    """What small segments hold of a word, as their large one holds it."""
    chunks, frequencies = _unpacked(blobs, SEGMENT_BITS)
    return packed.postings(chunks, frequencies, LARGE_BITS).tobytes()


def _with(hits: Hits, waiting: Entries, number: int) -> Hits:
    """With the passages that wait for their batch."""
    more = waiting.where(waiting.terms == number)
    if not len(more.chunks):
        return hits
    return np.concatenate([hits[0], more.chunks]), np.concatenate([hits[1], more.frequencies])
