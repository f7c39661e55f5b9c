"""The United States: social security, tax and medical numbers, and postal codes."""

from __future__ import annotations

import re

from desktop_rag.privacy.patterns import checks
from desktop_rag.privacy.patterns.pattern import At, Pattern, checked, named, words

_STATES = frozenset(
    "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR"
    " PA PR RI SC SD TN TX UT VT VA WA WV WI WY AS GU MP VI AA AE AP FM MH PW".split()
)
_SSN_WORDS = "ssn social security"


def is_ssn(value: str) -> bool:
    """No part is all noughts; 666 and what begins with 9 is never given out."""
    figures = "".join(map(str, checks.digits(value)))
    area, group, serial = figures[:3], figures[3:5], figures[5:]
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000" and checks.varied(value)


def is_itin(value: str) -> bool:
    """Begins with 9; the fourth and fifth figure lie in the ranges of the tax office."""
    group = int("".join(map(str, checks.digits(value)[3:5])))
    return 50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or 94 <= group <= 99


def is_dea(value: str) -> bool:
    """The last figure checks the six before it."""
    figures = checks.digits(value)[-7:]
    return (sum(figures[0:6:2]) + 2 * sum(figures[1:6:2])) % 10 == figures[6] and checks.varied(value)


def is_npi(value: str) -> bool:
    """Luhn's check over the number with the prefix of health cards."""
    return checks.luhn(f"80840{value}")


def is_routing(value: str) -> bool:
    """The weights 3, 7, 1 over the nine figures (American Bankers Association)."""
    return checks.dot(checks.digits(value), (3, 7, 1) * 3) % 10 == 0 and checks.varied(value)


def _in_state(value: str) -> bool:
    return value[:2] in _STATES


PATTERNS = (
    checked("US_SSN", r"(?<![\w.-])\d{3}-\d\d-\d{4}(?![\w-])", is_ssn, 0.85, _SSN_WORDS),
    checked("US_SSN", r"(?<![\w.-])\d{3}[ ]?\d\d[ ]?\d{4}(?![\w-])", is_ssn, 0.2, _SSN_WORDS),
    checked("US_ITIN", r"(?<![\w.-])9\d\d-\d\d-\d{4}(?![\w-])", is_itin, 0.85, "itin taxpayer tax"),
    checked("MEDICAL_LICENSE", r"(?<![\w-])[A-Z][A-Z9]\d{7}(?![\w-])", is_dea, 0.5, "dea prescriber", At.CODE),
    checked("MEDICAL_LICENSE", r"(?<![\w.-])[12]\d{9}(?![\w-])", is_npi, 0.3, "npi provider"),
    Pattern(
        "US_BANK_NUMBER", re.compile(r"(?<![\w.-])\d{9}(?![\w-])"), 0.1, At.NUMBER, is_routing, words("routing aba rtn")
    ),
    Pattern(
        "LOCATION", re.compile(r"(?<!\w)[A-Z]{2},?[ \u00a0]{1,2}\d{5}(?:-\d{4})?(?![\w-])"), 0.7, At.CODE, _in_state
    ),
    Pattern("LOCATION", re.compile(r"(?<![\w.-])\d{5}-\d{4}(?![\w-])"), 0.5, At.NUMBER, None, words("zip")),
    named("LOCATION", ("zip", "zip code", "zipcode", "postal code", "postcode", "post code"), r"\d{5}(?:-\d{4})?"),
    named("PASSPORT", ("passport",), r"[A-Z]?\d{8,9}"),
)
