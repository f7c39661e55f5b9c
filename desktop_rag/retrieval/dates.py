"""Dates as one term each, however they are written: "January 22, 2013", "22-Jan-13", "22.01.2013", "2013-01-22"."""

from __future__ import annotations

import re
from collections.abc import Iterator

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            *("jan january januar janvier enero", "feb february februar février febrero", "mar march märz mars marzo"),
            *("apr april avril abril", "may mai mayo", "jun june juni juin junio", "jul july juli juillet julio"),
            *(
                "aug august août agosto",
                "sep sept september septembre septiembre",
                "oct october oktober octobre octubre okt",
            ),
            *("nov november novembre noviembre", "dec december dezember décembre diciembre dez"),
        ),
        start=1,
    )
    for name in names.split()
}
_NAME = "|".join(sorted(_MONTHS, key=len, reverse=True))
_FORMS = (
    re.compile(r"\b(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})\b"),
    re.compile(r"\b(?P<d>\d{1,2})\.\s?(?P<m>\d{1,2})\.\s?(?P<y>\d{4})\b"),
    re.compile(
        rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th|\.)?(?:\s+(?:of\s+|de\s+)?|[-/])(?P<n>{_NAME})\.?(?:,?\s+(?:de\s+)?|[-/])(?P<y>\d{{4}}|\d{{2}})\b",
        re.IGNORECASE,
    ),
    re.compile(rf"\b(?P<n>{_NAME})\.?\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y>\d{{4}})\b", re.IGNORECASE),
)
_CENTURY_TURNS = 70


def date_terms(text: str) -> Iterator[str]:
    """A term "date:2013-01-22" for every date in the text. Two-figure years below 70 are of this century."""
    for form in _FORMS:
        for match in form.finditer(text):
            parts = match.groupdict()
            month = _MONTHS[parts["n"].lower()] if parts.get("n") else int(parts["m"])
            day, year = int(parts["d"]), int(parts["y"])
            if len(parts["y"]) == 2:
                year += 2000 if year < _CENTURY_TURNS else 1900
            if 1 <= month <= 12 and 1 <= day <= 31:
                yield f"date:{year:04}-{month:02}-{day:02}"
