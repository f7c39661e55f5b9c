"""From text to index terms. Pseudonyms and masks are one indivisible term each; codes keep their whole.

`K-103` gives `k-103`, `k` and `103`; runs of Chinese, Japanese and Korean give overlapping pairs of
characters, since a space-bound analyser finds nothing there.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import Stemmer  # type: ignore[import-not-found]

from desktop_rag.retrieval.dates import date_terms

ANALYSER_VERSION = "1"
STOP_WORDS = frozenset(
    "a an and are as at be but by for if in into is it no not of on or such that the their then there these they "
    "this to was will with".split()
)
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_TERM = re.compile(rf"\[[A-Z][A-Z_]*(?:_\d+)?\]|[{_CJK}]+|[^\W_{_CJK}]+(?:[-./'’][^\W_{_CJK}]+)*")
_PART = re.compile(r"[^\W_]+")
_IS_CJK = re.compile(rf"[{_CJK}]")
_stemmer = Stemmer.Stemmer("english")


@lru_cache(maxsize=100_000)
def _stem(word: str) -> str:
    return str(_stemmer.stemWord(word))


def terms(text: str) -> list[str]:
    """The index terms of a text, with repetitions; dates come first, as one term each."""
    # Accents as characters of their own would cut words in two.
    text = unicodedata.normalize("NFC", text)
    found: list[str] = list(date_terms(text))
    for match in _TERM.finditer(text):
        word = match.group()
        if word[0] == "[":
            found.append(word)
        elif _IS_CJK.match(word):
            found += [word[i : i + 2] for i in range(len(word) - 1)] or [word]
        else:
            # Ligatures of typeset text ("ﬁnance") become letters; never in the whole text, which could forge a token.
            found += _western(unicodedata.normalize("NFKC", word).casefold())
    return found


def _western(word: str) -> list[str]:
    parts = _PART.findall(word)
    kept = [_stem(part) for part in parts if part not in STOP_WORDS and part != "s"]
    if len(parts) > 1 and any(c.isdigit() for c in word):
        kept.append(word)
    return kept
