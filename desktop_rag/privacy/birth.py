"""A date that somebody was born on is told apart from other dates: with a place it often names one person."""

from __future__ import annotations

import re
from collections.abc import Iterable

from desktop_rag.privacy.finding import Finding

LABEL = "DATE_OF_BIRTH"
_REACH = 40
_BORN = re.compile(
    r"(?:\b(?:born|birth|birthday|birthdate|dob|d\.o\.b|geb|geboren|geburtsdatum|geburtstag|née?|naissance|nacid[oa]"
    r"|nacimiento|nat[oa]|nascita|geboortedatum|geboorte|ur|urodzon[aey]|urodzenia)\b(?:\([ae]\))?|\*)"
    r"[\s.:,;|()\[\]/\"'–—-]*(?:(?:is|was|as|on|the|of|am|den|der|ist|war|de|est|es"
    r"|del|día|el|il|le|l|op|dnia|w dniu|date|dd|mm|yyyy)\b"
    r"[\s.:,;|()\[\]/\"'–—-]*){0,3}\Z",
    re.IGNORECASE,
)
_DAY = re.compile(r"\d.*\d", re.DOTALL)


def births(text: str, findings: Iterable[Finding]) -> list[Finding]:
    """The findings, dates after a word for birth under a class of their own."""
    return [Finding(f.start, f.end, LABEL, f.score) if _is_birth(text, f) else f for f in findings]


def _is_birth(text: str, finding: Finding) -> bool:
    if finding.label != "DATE_TIME" or not _DAY.search(text[finding.start : finding.end]):
        return False
    return _BORN.search(text, max(0, finding.start - _REACH), finding.start) is not None
