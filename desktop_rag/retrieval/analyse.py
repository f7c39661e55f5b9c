"""From text to index terms. Pseudonyms and masks are one indivisible term each; codes keep their whole.

`K-103` gives `k-103`, `k` and `103`. Words are stemmed in their text's language. Scripts without spaces between words
(Chinese, Japanese, Korean, Thai, Lao, Khmer, Burmese, Tibetan) give overlapping pairs of characters, since a
space-bound analyser finds nothing there. A vowel sign or an accent belongs to the character before it.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator
from functools import cache, lru_cache
from itertools import groupby, pairwise
from typing import Any

import Stemmer  # type: ignore[import-not-found]

from desktop_rag.retrieval.dates import date_terms
from desktop_rag.retrieval.stop_words import STOP_WORDS

ANALYSER_VERSION = "2"
ENGLISH = "en"
_ALGORITHMS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish", "fr": "french", "ga": "irish",
    "hi": "hindi", "hu": "hungarian", "id": "indonesian", "it": "italian", "lt": "lithuanian", "ne": "nepali",
    "nl": "dutch", "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian",
    "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
}  # fmt: skip


def _ranges(categories: str) -> str:
    """The characters of some Unicode categories (by their first letter), for a class of a regular expression."""
    points = [point for point in range(sys.maxunicode + 1) if unicodedata.category(chr(point))[0] in categories]
    runs = [list(run) for _, run in groupby(enumerate(points), lambda pair: pair[1] - pair[0])]
    return "".join(f"{chr(run[0][1])}-{chr(run[-1][1])}" for run in runs)


# Without their figures, which are written as words of their own.
_PAIRED = (
    "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\u0e01-\u0e4f\u0e80-\u0ecf\u0f40-\u0fbc\u1000-\u103f\u1050-\u109f\u1780-\u17d3"
)
_MARKS = _ranges("M")
_JOINERS = "\u200c\u200d"
_LETTER = rf"[^\W_{_PAIRED}]"
_WORD = rf"{_LETTER}(?:{_LETTER}|[{_MARKS}{_JOINERS}])*"
_TERM = re.compile(rf"\[[A-Z][A-Z_]*(?:_\d+)?\]|[{_PAIRED}]+|{_WORD}(?:[-./'’]{_WORD})*")
_PART = re.compile(_WORD)
_IS_PAIRED = re.compile(rf"[{_PAIRED}]")
_UNIT = re.compile(rf"[^{_MARKS}][{_MARKS}]*|[{_MARKS}]+")
# Vowel points and the stretching of letters, which Arabic and Hebrew texts have or leave out as they like.
_OPTIONAL = re.compile("[\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u200c\u200d]")


def terms(text: str, language: str | None = ENGLISH) -> list[str]:
    """The index terms of a text in a language (ISO 639-1; None as English), with repetitions; dates come first.

    Of a language without a stemmer the words stay as they are.
    """
    language = language or ENGLISH
    stop_words = STOP_WORDS.get(language, frozenset())
    return [
        _stem(word, language) if is_word else word
        for word, is_word in _pieces(text)
        if not is_word or word not in stop_words
    ]


def question_terms(text: str, languages: Collection[str]) -> Counter[frozenset[str]]:
    """What a question to documents in several languages asks for, and how often: each word as it stands in any of them.

    A word that only carries others in one of the languages is left out: in a document whose language was mistaken it
    would seem to be rare.
    """
    counts: Counter[frozenset[str]] = Counter()
    for word, is_word in _pieces(text):
        if not is_word:
            counts[frozenset((word,))] += 1
        elif not any(word in STOP_WORDS.get(language, ()) for language in languages):
            counts[frozenset(_stem(word, language) for language in languages)] += 1
    return counts


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Dates, tokens, pairs and codes as they are indexed, and words (True) that are still to be stemmed."""
    # Accents as characters of their own would be other characters.
    text = unicodedata.normalize("NFC", text)
    for date in date_terms(text):
        yield date, False
    for match in _TERM.finditer(text):
        word = match.group()
        if word[0] == "[":
            yield word, False
        elif _IS_PAIRED.match(word):
            units = _UNIT.findall(word)
            yield from ((pair, False) for pair in [one + other for one, other in pairwise(units)] or units)
        else:
            # Ligatures of typeset text ("ﬁnance") become letters; never in the whole text, which could forge a token.
            yield from _western(unicodedata.normalize("NFKC", word).casefold())


def _western(word: str) -> Iterator[tuple[str, bool]]:
    word = _plain(_OPTIONAL.sub("", word))
    parts = _PART.findall(word)
    yield from ((part, True) for part in parts if part != "s")
    if len(parts) > 1 and any(c.isdigit() for c in word):
        yield word, False


def _plain(word: str) -> str:
    """With the figures of all scripts as 0 to 9."""
    if word.isascii():
        return word
    return "".join(str(unicodedata.decimal(c, c)) for c in word)


@lru_cache(maxsize=100_000)
def _stem(word: str, language: str) -> str:
    stemmer = _stemmer(language)
    return word if stemmer is None else str(stemmer.stemWord(word))


@cache
def _stemmer(language: str) -> Any:
    algorithm = _ALGORITHMS.get(language)
    return Stemmer.Stemmer(algorithm) if algorithm in Stemmer.algorithms() else None
