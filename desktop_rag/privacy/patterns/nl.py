"""The Netherlands: the citizen service number, plates, postal codes."""

from __future__ import annotations

import re

from desktop_rag.privacy.patterns import checks
from desktop_rag.privacy.patterns.pattern import CAPITAL, At, Pattern, words

_CODE = r"(?<![\w.-])[1-9]\d{3}[ \u00a0]?(?!SA|SD|SS|US|UK|EU|AD|BC|TV|GP|PC)[A-Z]{2}"


def is_bsn(value: str) -> bool:
    """The "elfproef": the weights 9 to 2 and minus one give a multiple of 11."""
    figures = checks.digits(value)
    return checks.dot(figures, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0 and checks.varied(value)


_PLATE = r"(?:[A-Z]{1,3}|\d{1,3})-(?:[A-Z]{2,3}|\d{2,3})-(?:[A-Z]{1,3}|\d{1,2})"


def is_plate(value: str) -> bool:
    """Six characters in three groups, letters and figures, both of them (RDW's series 1 to 14)."""
    groups = value.split("-")
    return len(value) == 8 and {group.isalpha() for group in groups} == {True, False}


PATTERNS = (
    Pattern(
        "NATIONAL_ID",
        re.compile(r"(?<![\w.,+-])\d{4}[. ]?\d\d[. ]?\d{3}(?![\w-])"),
        0.2,
        At.NUMBER,
        is_bsn,
        words("bsn burgerservicenummer sofinummer persoonsnummer"),
    ),
    Pattern(
        "LOCATION", re.compile(rf"(?:(?<![^\n])|(?<=, )){_CODE}(?=[ \u00a0]{{1,2}}{CAPITAL}[a-z'])"), 0.75, At.NUMBER
    ),
    Pattern("LOCATION", re.compile(rf"{_CODE}(?!\w)"), 0.0, At.NUMBER, None, words("postcode adres woonplaats"), 0.8),
    Pattern(
        "VEHICLE_NUMBER",
        re.compile(rf"(?<![\w-]){_PLATE}(?![\w-])"),
        0.6,
        At.CODE,
        is_plate,
        words("kenteken auto voertuig nummerbord"),
    ),
)
