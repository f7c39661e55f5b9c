"""France: social security, companies, plates."""

from __future__ import annotations

import re

from desktop_rag.privacy.patterns import checks
from desktop_rag.privacy.patterns.pattern import At, Pattern, checked, words

_SP = r"[ \u00a0\u202f.]?"


def is_nir(value: str) -> bool:
    """The key is what is lacking to a multiple of 97; Corsica's letters stand for a lesser number (INSEE)."""
    written = checks.compact(value)
    body = int(written[:13].replace("2A", "19", 1).replace("2B", "18", 1))
    return 97 - body % 97 == int(written[13:])


PATTERNS = (
    checked(
        "NATIONAL_ID",
        rf"(?<![\w.,+-])[1-478]{_SP}\d\d{_SP}(?:0[1-9]|1[0-2]|[2-9]\d){_SP}(?:\d\d|2[AB]){_SP}\d{{3}}{_SP}\d{{3}}{_SP}\d\d(?![\w-])",
        is_nir,
        0.95,
        "nir sécurité sociale insee assuré immatriculation sécu",
    ),
    checked(
        "COMPANY_NUMBER",
        rf"(?<![\w.,+-])\d{{3}}{_SP}\d{{3}}{_SP}\d{{3}}{_SP}\d{{5}}(?![\w-])",
        checks.luhn,
        0.6,
        "siret",
    ),
    Pattern(
        "COMPANY_NUMBER",
        re.compile(rf"(?<![\w.,+-])\d{{3}}{_SP}\d{{3}}{_SP}\d{{3}}(?![\w-])"),
        0.1,
        At.NUMBER,
        checks.luhn,
        words("siren rcs sirene"),
    ),
    Pattern(
        "VEHICLE_NUMBER",
        re.compile(r"(?<![\w-])[A-HJ-NP-TV-Z]{2}([- ])\d{3}\1[A-HJ-NP-TV-Z]{2}(?![\w-])"),
        0.65,
        At.CODE,
        None,
        words("immatriculation immatriculé plaque véhicule voiture targa auto"),
    ),
)
