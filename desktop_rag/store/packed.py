"""The words of passages as bytes, in two ways: which words a passage has, and which passages a word is in.

A passage's words are pairs (word's number, frequency). A word's passages are kept by segment, which is the passages
of one aligned range of numbers: four bytes each, the place in the segment above the frequency. Segments are small
ones, which are quick to change, and large ones of sixteen, which are quick to read.
"""

from __future__ import annotations

from typing import Any

import numpy as np

ENTRY = np.dtype([("term", "<u4"), ("frequency", "<u2")])
"""A word of a passage."""
POSTING = np.dtype("<u4")
"""A passage of a word."""
SEGMENT_BITS, LARGE_BITS = 13, 17
LARGE = 1 << 40
"""Segments are numbered by the passages in them; large ones from here on."""
MOST = 0x7FFF
"""A frequency beyond counts as this."""
_POSTING_BITS = POSTING.itemsize * 8
Numbers = np.ndarray[Any, np.dtype[Any]]


def segment_of(chunk: int, bits: int = SEGMENT_BITS) -> int:
    """The number of the segment that a passage is in."""
    return (chunk >> bits) + (LARGE if bits == LARGE_BITS else 0)


def first_of(segment: int) -> int:
    """The first passage that is in a segment."""
    return (segment - LARGE) << LARGE_BITS if segment >= LARGE else segment << SEGMENT_BITS


def bits_of(segment: int) -> int:
    """How many bits the place of a passage in a segment has."""
    return LARGE_BITS if segment >= LARGE else SEGMENT_BITS


def entries(terms: Any, frequencies: Any) -> Numbers:
    """The words of a passage as an array of ENTRY, by the words' numbers."""
    made = np.empty(len(terms), ENTRY)
    made["term"], made["frequency"] = terms, np.minimum(frequencies, MOST)
    return np.sort(made, order="term")


def postings(chunks: Numbers, frequencies: Numbers, bits: int = SEGMENT_BITS) -> Numbers:
    """Passages of one segment with a word's frequencies, as an array of POSTING."""
    places = np.asarray(chunks) & ((1 << bits) - 1)
    return np.asarray(places << (_POSTING_BITS - bits) | np.minimum(frequencies, MOST), dtype=POSTING)


def places(packed: Numbers, bits: int = SEGMENT_BITS) -> Numbers:
    """Where in their segment the passages are."""
    return packed >> (_POSTING_BITS - bits)


def frequencies(packed: Numbers, bits: int = SEGMENT_BITS) -> Numbers:
    """How often the word is in each."""
    return packed & ((1 << (_POSTING_BITS - bits)) - 1)


class PackedEntries:
    """In SQL, packed_entries(term, frequency): the words of the passage that is grouped by."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, int]] = []

    def step(self, number: int, frequency: int) -> None:
        """One row of the group."""
        self._rows.append((number, frequency))

    def finalize(self) -> bytes:
        """The group's blob."""
        return entries(*zip(*self._rows, strict=True)).tobytes()


class PackedPostings(PackedEntries):
    """In SQL, packed_postings(chunk, frequency): the passages of the word and segment that are grouped by."""

    def finalize(self) -> bytes:
        """The group's blob."""
        chunks, times = np.array(self._rows, dtype=np.int64).T
        return postings(chunks, times).tobytes()
