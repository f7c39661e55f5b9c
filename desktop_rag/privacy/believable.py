"""What the network says and is to be believed. It was trained on made-up text, and ordinary words surprise it."""

from __future__ import annotations

import re

from desktop_rag.privacy.names import PARTICLES, is_given_name
from desktop_rag.privacy.recogniser import Found

# What stays in the text unless somebody decides otherwise is shown only where it is fairly sure: more hides the rest.
_LEAST = {"PROFESSION": 0.6, "DEMOGRAPHIC": 0.7, "ORGANIZATION": 0.6}
_SURE_ALONE = 0.9
_SURE_SMALL = 0.85
_LIKELY = 0.75
_FEWEST_FIGURES = 4
_WORD = re.compile(r"[^\W\d_]+")
_LONG_WORD = re.compile(r"[^\W\d_]{3}")
_PARTICLE = frozenset(PARTICLES.split())


def believable(value: str, found: Found) -> str | None:
    """The class under which a finding of the network in this text holds; None where it does not.

    A name that may as well be an ordinary word is a POSSIBLE_NAME: shown to be decided about, and kept till then.
    """
    if found.score < _LEAST.get(found.label, 0.0):
        return None
    if found.label == "PERSON":
        return "PERSON" if _is_name(value, found.score) else "POSSIBLE_NAME"
    check = _CHECKS.get(found.label)
    return found.label if check is None or check(value, found.score) else None


def _is_name(value: str, score: float) -> bool:
    words = _WORD.findall(value)
    if len(words) == 1:
        return score >= _SURE_ALONE or is_given_name(words[0])
    small = any(word.islower() and word not in _PARTICLE for word in words)
    return score >= _SURE_SMALL if small else True


def _place(value: str, score: float) -> bool:
    return len(_WORD.findall(value)) > 1 or score >= (_SURE_ALONE if value.islower() else _LIKELY)


def _office(value: str, score: float) -> bool:
    return len(value.split()) > 1 or not value.islower()


def _street(value: str, score: float) -> bool:
    return bool(_LONG_WORD.search(value)) and (len(value.split()) > 1 or any(c.isdigit() for c in value))


def _date(value: str, score: float) -> bool:
    if value.isdigit():
        return len(value) >= _FEWEST_FIGURES
    return score >= _LIKELY or any(c.isdigit() for c in value)


def _number(value: str, score: float) -> bool:
    return sum(c.isdigit() for c in value) >= _FEWEST_FIGURES


_CHECKS = {
    "LOCATION": _place,
    "ORGANIZATION": _office,
    "STREET_ADDRESS": _street,
    "DATE_TIME": _date,
    "ID_NUMBER": _number,
}
