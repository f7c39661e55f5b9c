"""Poland: PESEL, tax and company numbers, documents, plates, postal codes."""

from __future__ import annotations

import re

from desktop_rag.privacy.patterns import checks
from desktop_rag.privacy.patterns.pattern import CAPITAL, At, Pattern, checked, words

_REGON_9 = checks.weighted((8, 9, 2, 3, 4, 5, 6, 7), 11, rest=(*range(10), 0))
_REGON_14 = checks.weighted((2, 4, 8, 5, 0, 9, 7, 3, 6, 1, 2, 4, 8), 11, rest=(*range(10), 0))
_NIP = checks.weighted((6, 5, 7, 2, 3, 4, 5, 6, 7), 11, rest=(*range(10), -1))
_PESEL = checks.weighted((1, 3, 7, 9, 1, 3, 7, 9, 1, 3), 10, rest=(0, 9, 8, 7, 6, 5, 4, 3, 2, 1))
_CENTURIES = (1900, 2000, 2100, 2200, 1800)


def is_pesel(value: str) -> bool:
    """A day of the calendar (the century is added to the month), a serial, a check figure."""
    year, month, day = int(value[:2]), int(value[2:4]), int(value[4:6])
    return checks.is_day(_CENTURIES[month // 20] + year, month % 20, day) and _PESEL(value)


def is_nip(value: str) -> bool:
    """The tax number: nine weights, division by 11."""
    return _NIP(value)


def is_regon(value: str) -> bool:
    """The register of companies, of 9 or 14 figures."""
    return _REGON_9(value) if len(value) == 9 else _REGON_9(value[:9]) and _REGON_14(value)


def is_dowod(value: str) -> bool:
    """Three letters, a check figure, five figures."""
    written = checks.compact(value)
    return checks.lettered_731(written[:3] + written[4:]) % 10 == int(written[3])


def is_passport(value: str) -> bool:
    """Two letters, a check figure, six figures."""
    written = checks.compact(value)
    return (checks.lettered_731(written[:2]) + checks.dot(checks.digits(written)[1:], (1, 7, 3, 1, 7, 3))) % 10 == int(
        written[2]
    )


PATTERNS = (
    checked("NATIONAL_ID", r"(?<![\w.,+/-])\d{11}(?![\w-])", is_pesel, 0.85, "pesel"),
    checked(
        "TAX_NUMBER", r"(?<![\w.,+/-])(?:\d{3}-\d{3}-\d\d-\d\d|\d{3}-\d\d-\d\d-\d{3})(?![\w-])", is_nip, 0.9, "nip"
    ),
    checked("TAX_NUMBER", r"(?<![\w.,+/-])\d{10}(?![\w-])", is_nip, 0.3, "nip podatnik podatnika"),
    checked("COMPANY_NUMBER", r"(?<![\w.,+/-])(?:\d{9}|\d{14})(?![\w-])", is_regon, 0.2, "regon"),
    checked(
        "NATIONAL_ID",
        r"(?<![\w-])[A-Z]{3}[ ]?\d{6}(?![\w-])",
        is_dowod,
        0.6,
        "dowód dowodu dowodem osobisty osobistego seria legitymujący legitymująca",
        At.CODE,
    ),
    checked(
        "PASSPORT", r"(?<![\w-])[A-Z]{2}[ ]?\d{7}(?![\w-])", is_passport, 0.5, "paszport paszportu passport", At.CODE
    ),
    Pattern(
        "DRIVER_LICENSE",
        re.compile(r"(?<![\w/.-])\d{5}/\d\d/\d{4}(?![\w/-])"),
        0.6,
        At.NUMBER,
        None,
        words("prawo prawa jazdy kierowca kierowcy"),
    ),
    Pattern(
        "VEHICLE_NUMBER",
        re.compile(r"(?<![\w-])[A-Z]{1,3}[ ]?(?=[0-9A-Z]{0,4}\d)[0-9A-Z]{4,5}(?![\w-])"),
        0.0,
        At.CODE,
        lambda value: sum(c.isdigit() for c in value) > 1,
        words(
            "rejestracyjny rejestracyjnym rejestracyjnych rejestracyjna rejestracyjne rej tablica tablice samochód"
            " pojazd"
        ),
        0.85,
    ),
    Pattern(
        "LOCATION",
        re.compile(rf"(?<![\w.,+-])\d\d-\d{{3}}(?=[ \u00a0]{{1,2}}{CAPITAL}[a-ząćęłńóśźż])"),
        0.75,
        At.NUMBER,
    ),
    Pattern(
        "LOCATION", re.compile(r"(?<![\w.,+-])\d\d-\d{3}(?![\w-])"), 0.0, At.NUMBER, None, words("kod pocztowy"), 0.85
    ),
)
