"""All patterns over one text: each tried where it may begin, its value checked, the words beside it weighed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, pairwise

from desktop_rag.privacy.finding import Finding
from desktop_rag.privacy.fold import fold_word
from desktop_rag.privacy.patterns.pattern import At, Pattern, is_context
from desktop_rag.privacy.patterns.places import Places, places

THRESHOLD = 0.4
# How far the words reach that make a value certain, and how many of them count.
_BEFORE, _AFTER = 64, 24
_WORDS_BEFORE, _WORDS_AFTER = 6, 2
_WORD = re.compile(r"[^\W\d_]+")
_FIGURES = re.compile(r"\d")
_LINKS = frozenset({"and", "und", "lub", "oraz", "oder"})
# A password may end in a sign; its patterns say where it ends.
_WHOLE = "SECRET"
_EDGE = " \t\n\r.,;:!?\"'“”‘’«»*_|/\\–—-"
_MARKS = frozenset({"Mn", "Me"})
_PAIRS = {")": "(", "]": "[", "}": "{", ">": "<"}


@dataclass(frozen=True, slots=True)
class _Sieve:
    """One regex that says whether any of a pack's patterns matches at a place; most places are nothing."""

    kind: At
    regex: re.Pattern[str]
    patterns: Sequence[Pattern]


def find(text: str) -> list[Finding]:
    """Everything the patterns find in a text, sorted by start; overlaps are for the caller to join."""
    if unicodedata.is_normalized("NFC", text):
        return _find(text)
    starts = _starts(text)
    return [Finding(starts[f.start], starts[f.end], f.label, f.score) for f in _find(_compose(text, starts))]


def _find(text: str) -> list[Finding]:
    found: dict[tuple[int, int, str], float] = {}
    sieves, by_cue = _packs()
    where = places(text, by_cue)
    for pattern, place in chain(_at_kinds(text, where, sieves), _at_cues(where, by_cue)):
        match = pattern.regex.match(text, place)
        if match is None:
            continue
        start, end = match.span("value" if "value" in pattern.regex.groupindex else 0)
        if pattern.label != _WHOLE:
            start, end = _trimmed(text, start, end)
        score = _score(text, pattern, start, end)
        if score >= THRESHOLD:
            key = (start, end, pattern.label)
            found[key] = max(score, found.get(key, 0.0))
    return [Finding(start, end, label, score) for (start, end, label), score in sorted(found.items())]


def _at_kinds(text: str, where: Places, sieves: Sequence[_Sieve]) -> Iterator[tuple[Pattern, int]]:
    for sieve in sieves:
        match = sieve.regex.match
        for start in where.kinds[sieve.kind]:
            if match(text, start) is not None:
                for pattern in sieve.patterns:
                    yield pattern, start


def _at_cues(where: Places, by_cue: dict[str, list[Pattern]]) -> Iterator[tuple[Pattern, int]]:
    for word, starts in where.cues.items():
        for pattern in by_cue[word]:
            for start in starts:
                yield pattern, start


def _score(text: str, pattern: Pattern, start: int, end: int) -> float:
    if start >= end:
        return 0.0
    valid = pattern.valid is None or pattern.valid(text[start:end])
    without, beside = (pattern.score, pattern.with_context) if valid else (0.0, pattern.mistyped)
    if pattern.context and beside > without and _in_context(text, pattern.context, start, end):
        return beside
    return without


def _in_context(text: str, context: frozenset[str], start: int, end: int) -> bool:
    after = text[end : end + _AFTER].partition("\n")[0]
    # What stands before a colon names the value after it.
    beside = _WORD.findall(after)[:_WORDS_AFTER] if ":" not in after else []
    return any(is_context(fold_word(word), context) for word in (*_words_before(text, start), *beside))


def _words_before(text: str, start: int) -> list[str]:
    *above, line = text[max(start - _BEFORE, 0) : start].rsplit("\n", 1)
    words = _WORD.findall(line)
    if not words and above:
        # In a form the words stand above the value.
        line = above[0].rstrip().rpartition("\n")[2]
        words = _WORD.findall(line)
    # Words between another number and this one are this one's alone: "tel. 12 34 56, VAT 78 90".
    own = [word for word in _WORD.findall(_FIGURES.split(line)[-1]) if len(word) > 2 and word not in _LINKS]
    return (own or words)[-_WORDS_BEFORE:]


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Without punctuation at its ends, but with the marks that belong to its last character."""
    while end > start and (text[end - 1] in _EDGE or _unpaired(text, start, end)):
        end -= 1
    while start < end and text[start] in _EDGE:
        start += 1
    while start < end < len(text) and unicodedata.category(text[end]) in _MARKS:
        end += 1
    return start, end


def _unpaired(text: str, start: int, end: int) -> bool:
    opening = _PAIRS.get(text[end - 1])
    return opening is not None and text.count(opening, start, end) < text.count(text[end - 1], start, end)


def _starts(text: str) -> list[int]:
    """Where each character begins that does not merely mark the one before it; at last, where the text ends."""
    marks = [i for i, c in enumerate(text) if not unicodedata.combining(c)]
    return [*([] if marks[:1] == [0] else [0]), *marks, len(text)]


def _compose(text: str, starts: Sequence[int]) -> str:
    """The text with one character for each of these stretches: a letter and its marks as one where that exists."""
    return "".join(unicodedata.normalize("NFC", text[start:end])[:1] for start, end in pairwise(starts))


@cache
def _packs() -> tuple[list[_Sieve], dict[str, list[Pattern]]]:
    """The patterns of all packs: by the kind of place they begin at, and by the word."""
    from desktop_rag.privacy.patterns import packs

    sieves: list[_Sieve] = []
    by_cue: dict[str, list[Pattern]] = {}
    for pack in packs.ALL:
        for kind in At:
            sieves += _sieves(kind, [pattern for pattern in pack if pattern.anchor is kind])
        for pattern in pack:
            for word in pattern.anchor if isinstance(pattern.anchor, frozenset) else ():
                by_cue.setdefault(word, []).append(pattern)
    return sieves, by_cue


def _sieves(kind: At, patterns: Sequence[Pattern]) -> Iterator[_Sieve]:
    # A pattern that refers to its own groups cannot stand among others.
    together = [pattern for pattern in patterns if not pattern.regex.groups]
    if together:
        either = "|".join(f"(?:{pattern.regex.pattern})" for pattern in together)
        yield _Sieve(kind, re.compile(either), together)
    yield from (_Sieve(kind, pattern.regex, [pattern]) for pattern in patterns if pattern.regex.groups)
