"""When are two spellings the same value? Folding for comparison: case, accents, titles and punctuation go."""

from __future__ import annotations

import re
import unicodedata

# Accents may be characters of their own (text from macOS); they belong to the letter before them.
_WORD = re.compile(r"\[[A-Z][A-Z_]*(?:_\d+)?\]|(?:[^\W_][\u0300-\u036f]*)+")
_TITLES = frozenset(
    "mr mrs ms miss dr prof professor sir madam herr frau mme madame monsieur m señor señora sr sra jr hon"
    " rev judge".split()
)


def fold_word(word: str) -> str:
    """One word without case and accents."""
    if word.isascii():
        return word.lower()
    bare = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
    return bare.casefold()


def words(text: str) -> list[tuple[str, int, int]]:
    """The folded words of a text with their code point offsets; pseudonyms stay whole."""
    if text.isascii():
        low = text.lower()
        return [(low[start:end], start, end) for start, end in (m.span() for m in _WORD.finditer(text))]
    return [(fold_word(m.group()), m.start(), m.end()) for m in _WORD.finditer(text)]


def name_words(value: str) -> list[tuple[str, int, int]]:
    """The words of a person's name with their offsets, without the titles before and the possessive after it."""
    parts = words(value)
    while len(parts) > 1 and parts[0][0] in _TITLES:
        parts = parts[1:]
    if len(parts) > 1 and parts[-1][0] == "s":
        parts = parts[:-1]
    return parts


def fold(label: str, value: str) -> str:
    """The form under which the vault remembers a value of this class.

    Persons: words without titles; everything else: letters and digits only, so that spacing and
    punctuation of a number do not matter.
    """
    if label == "PERSON":
        return " ".join(word for word, _, _ in name_words(value))
    return "".join(word for word, _, _ in words(value))
