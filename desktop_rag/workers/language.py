"""Which language a document is written in."""

from __future__ import annotations

from collections.abc import Sequence

_SAMPLE_CHARS = 4000
_LEAST_LETTERS = 40


def language_of(texts: Sequence[str]) -> str | None:
    """ISO 639-1 code of the main language; None when there is too little text to tell."""
    sample = " ".join(" ".join(texts).split())[:_SAMPLE_CHARS]
    if sum(c.isalpha() for c in sample) < _LEAST_LETTERS:
        return None
    import py3langid  # type: ignore[import-untyped]

    return str(py3langid.classify(sample)[0])
