"""Which language a document is written in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

_SAMPLE_CHARS = 4000
_LEAST_LETTERS = 40
# Those in which people have documents. Of the rest, tables of names and figures are taken for one now and then.
_LANGUAGES = (
    "ar bg bn ca cs cy da de el en es et eu fa fi fr ga gl gu he hi hr hu hy id is it ja ka kk km kn ko lo lt lv mk ml"
    " mr ms mt my ne nl no pa pl pt ro ru si sk sl sq sr sv sw ta te th tl tr uk ur vi zh"
).split()


def language_of(texts: Sequence[str]) -> str | None:
    """ISO 639-1 code of the main language; None when there is too little text to tell."""
    sample = " ".join(" ".join(texts).split())[:_SAMPLE_CHARS]
    if sum(c.isalpha() for c in sample) < _LEAST_LETTERS:
        return None
    return str(_identifier().classify(sample)[0])


@cache
def _identifier() -> Any:
    from py3langid import langid  # type: ignore[import-untyped]

    whole = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE)
    whole.set_languages(_LANGUAGES)
    # One that never had the others: they are most of its memory.
    return langid.LanguageIdentifier(
        whole.nb_ptc, whole.nb_pc, whole.nb_classes, whole.tk_nextmove, whole.tk_output, tk_row=whole.tk_row
    )
