"""Whether the text that stands in a PDF is what a reader sees: many fonts do not say what their shapes mean."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

_LEAST = 40
"""Fewer signs than this prove nothing."""
_ENOUGH = 500
"""Of a longer text every so manieth sign is looked at: the answer is a share."""
_MOST_UNKNOWN = 0.1
_MOST_PRIVATE = 0.4
_LEAST_WORDED = 0.3
_REPEATED = re.compile("([^\\w\ufffd\ue000-\uf8ff])\\1+")
_PRIVATE = ("Co", "Cn", "Cs")


def is_garbled(text: str) -> bool:
    """Whether most of a page's text cannot be meant: signs without a meaning, or hardly a letter among them.

    Characters without a meaning (U+FFFD, controls) stand for spaces at least where a font's numbers were taken for
    letters; a few private ones are common as bullets and in formulas. Dot leaders and rules count once.
    """
    if _is_plain(text):
        return False
    signs = "".join(_REPEATED.sub(r"\1", text).split())
    if len(signs) < _LEAST:
        return False
    signs = signs[:: max(1, len(signs) // _ENOUGH)]
    kinds = Counter(map(unicodedata.category, signs))
    unknown = signs.count("\ufffd") + kinds["Cc"]
    private = sum(kinds[kind] for kind in _PRIVATE)
    # Vowel signs and accents of their own are part of words too.
    worded = sum(number for kind, number in kinds.items() if kind[0] in "LNM")
    return (
        unknown > _MOST_UNKNOWN * len(signs)
        or private > _MOST_PRIVATE * len(signs)
        or worded < _LEAST_WORDED * len(signs)
    )


def _is_plain(text: str) -> bool:
    """Whether so many signs are letters and digits that the others cannot matter: the quick answer for most pages."""
    signs = text[:: max(1, len(text) // _ENOUGH)]
    blank = signs.count(" ") + signs.count("\n")
    return sum(map(str.isalnum, signs)) > (1 - _MOST_UNKNOWN) * (len(signs) - blank)
