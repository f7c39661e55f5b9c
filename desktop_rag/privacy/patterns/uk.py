"""The United Kingdom: national insurance, health and driving numbers, plates, postcodes."""

from __future__ import annotations

import re

from desktop_rag.privacy.patterns import checks
from desktop_rag.privacy.patterns.pattern import At, Pattern, checked, named, words

_NEVER = frozenset("BG GB KN NK NT TN ZZ".split())
_OUT = r"(?:GIR|[A-PR-UWYZ](?:\d{1,2}|[A-HK-Y]\d{1,2}|\d[A-HJKPSTUW]|[A-HK-Y]\d[ABEHMNPRVWXY]))"
_IN = r"\d[ABD-HJLNP-UW-Z]{2}"
_POSTAL = words("postcode post code address")


def is_nhs(value: str) -> bool:
    """The weights 10 to 2, and what is lacking to a multiple of 11 (NHS Data Dictionary)."""
    figures = checks.digits(value)
    return (11 - checks.dot(figures, range(10, 1, -1)) % 11) % 11 == figures[9] and checks.varied(value)


def is_nino(value: str) -> bool:
    """Some pairs of letters are never given out."""
    return value[:2] not in _NEVER


def is_licence(value: str) -> bool:
    """The month of birth stands in it, plus fifty for women."""
    return 1 <= int(value[6:8]) % 50 <= 12 and 1 <= int(value[8:10]) <= 31


PATTERNS = (
    checked(
        "NATIONAL_ID",
        r"(?<!\w)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ ]?\d\d[ -]?\d\d[ -]?\d\d[ -]?[A-D](?!\w)",
        is_nino,
        0.85,
        "nino national insurance ni",
        At.CODE,
    ),
    Pattern(
        "UK_NHS",
        re.compile(r"(?<![\w.+/-])\d{3}([ -])\d{3}\1\d{4}(?![\w-])"),
        0.6,
        At.NUMBER,
        is_nhs,
        words("nhs patient hospital"),
        0.99,
    ),
    Pattern(
        "UK_NHS", re.compile(r"(?<![\w.+/-])\d{10}(?![\w-])"), 0.3, At.NUMBER, is_nhs, words("nhs patient hospital")
    ),
    named("UK_NHS", ("nhs", "nhs number"), r"\d{3}[ -]?\d{3}[ -]?\d{4}"),
    Pattern("LOCATION", re.compile(rf"(?<![\w-]){_OUT}[ \u00a0]{_IN}(?!\w)"), 0.75, At.CODE),
    Pattern("LOCATION", re.compile(rf"(?<![\w-]){_OUT}{_IN}(?!\w)"), 0.3, At.CODE, None, _POSTAL),
    Pattern(
        "DRIVER_LICENSE",
        re.compile(r"(?<!\w)[A-Z][A-Z9]{4}\d[0156]\d{3}\d[A-Z9]{2}[A-Z0-9][A-Z]{2}(?:[ ]?\d\d)?(?!\w)"),
        0.85,
        At.CODE,
        is_licence,
    ),
    Pattern(
        "VEHICLE_NUMBER",
        re.compile(r"(?<![\w-])[A-HJ-PR-Y][A-HJ-PR-Y](?:0[2-9]|[1-8]\d)[ ][A-HJ-PR-Z]{3}(?![\w-])"),
        0.5,
        At.CODE,
        None,
        words("registration reg plate vehicle car van driver"),
    ),
    named("TAX_NUMBER", ("utr", "unique taxpayer reference"), r"\d{5}[ ]?\d{5}"),
)
