"""Germany: tax, insurance and identity numbers, plates, the commercial register."""

from __future__ import annotations

import re
from collections import Counter

from desktop_rag.privacy.patterns import checks
from desktop_rag.privacy.patterns.pattern import At, Pattern, checked, words

_RVNR_WEIGHTS = (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)


def is_steuer_id(value: str) -> bool:
    """Of the first ten figures exactly one stands twice or three times; ISO 7064, MOD 11,10."""
    figures = checks.digits(value)
    counts = sorted(Counter(figures[:10]).values())
    return counts[-2] == 1 and counts[-1] in (2, 3) and checks.mod11_10(value)


def is_rvnr(value: str) -> bool:
    """The pension insurance's number: the letter counts as its place in the alphabet, in two figures."""
    written = checks.compact(value)
    figures = [int(c) for c in f"{written[:8]}{ord(written[8]) - 64:02d}{written[9:11]}"]
    products = (f * w for f, w in zip(figures, _RVNR_WEIGHTS, strict=True))
    day, month = int(written[2:4]), int(written[4:6])
    return 1 <= day <= 81 and 1 <= month <= 12 and sum(p // 10 + p % 10 for p in products) % 10 == int(written[11])


def is_ausweis(value: str) -> bool:
    """The tenth character checks the nine before it."""
    return checks.lettered_731(value[:9]) % 10 == int(value[9]) and sum(c.isdigit() for c in value) > 2


PATTERNS = (
    checked(
        "TAX_NUMBER",
        r"(?<![\w.,+/-])[1-9]\d(?:[ ]?\d{3}){3}(?![\w-])",
        is_steuer_id,
        0.75,
        "steuer steueridentifikationsnummer identifikationsnummer idnr tin finanzamt",
    ),
    checked(
        "NATIONAL_ID",
        r"(?<![\w-])\d\d[ ]?\d{6}[ ]?[A-Z][ ]?\d{3}(?![\w-])",
        is_rvnr,
        0.85,
        "sozialversicherungsnummer rentenversicherung sv rvnr versicherungsnummer",
    ),
    checked(
        "NATIONAL_ID",
        r"(?<![\w-])[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ0-9]{8}\d(?:[D<]{0,2})(?![\w-])",
        is_ausweis,
        0.7,
        "personalausweis ausweis ausweisnummer reisepass pass seriennummer",
        At.CODE,
    ),
    Pattern(
        "VEHICLE_NUMBER",
        re.compile(r"(?<![\w-])[A-ZÄÖÜ]{1,3}-[A-Z]{1,2}[ \u00a0][1-9]\d{0,3}[EH]?(?![\w-]|[.,/]\d)"),
        0.5,
        At.CODE,
        lambda value: sum(c.isdigit() for c in value) > 1,
        words("kennzeichen kfz fahrzeug wagen auto pkw nummernschild"),
    ),
    Pattern(
        "COMPANY_NUMBER", re.compile(r"(?<!\w)HR[AB][ \u00a0]?(?:Nr\.?[ ]?)?\d{2,6}(?:[ ][A-Z])?(?!\w)"), 0.85, At.CODE
    ),
)
