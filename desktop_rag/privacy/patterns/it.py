"""Italy: the tax code of persons and of companies, plates."""

from __future__ import annotations

import re

from desktop_rag.privacy.patterns import checks
from desktop_rag.privacy.patterns.pattern import At, Pattern, checked, words

# What a character counts for in the odd places; a letter counts as the figure of its place, up to J.
_ODD_VALUES = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_ODD = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", _ODD_VALUES, strict=True)) | dict(
    zip("0123456789", _ODD_VALUES, strict=False)
)


def is_codice_fiscale(value: str) -> bool:
    """The last letter checks the fifteen characters before it (D.M. 23/12/1976)."""
    written = checks.compact(value)
    odd = sum(_ODD[c] for c in written[0:15:2])
    even = sum(int(c) if c.isdigit() else ord(c) - 65 for c in written[1:15:2])
    return chr(65 + (odd + even) % 26) == written[15]


_D = "[0-9LMNP-Vlmnp-v]"

PATTERNS = (
    checked(
        "NATIONAL_ID",
        rf"(?<!\w)[A-Za-z]{{6}}{_D}{{2}}[ABCDEHLMPRSTabcdehlmprst]{_D}{{2}}[A-Za-z]{_D}{{3}}[A-Za-z](?!\w)",
        is_codice_fiscale,
        0.95,
        "codice fiscale cf",
        At.CODE,
    ),
    Pattern(
        "NATIONAL_ID",
        re.compile(rf"(?<!\w)[A-Z]{{3}}[ ][A-Z]{{3}}[ ]{_D}{{2}}[ABCDEHLMPRST]{_D}{{2}}[ ][A-Z]{_D}{{3}}[A-Z](?!\w)"),
        0.9,
        At.CODE,
    ),
    Pattern(
        "TAX_NUMBER",
        re.compile(r"(?<![\w.,+-])(?:IT[ ]?)?\d{11}(?![\w-])"),
        0.3,
        At.CODE,
        checks.luhn,
        words("iva partita vat p"),
    ),
    Pattern(
        "VEHICLE_NUMBER",
        re.compile(r"(?<![\w-])[A-HJ-NPR-TV-Z]{2}[ ]?\d{3}[ ]?[A-HJ-NPR-TV-Z]{2}(?![\w-])"),
        0.3,
        At.CODE,
        None,
        words("targa targato targata auto veicolo autovettura plaque immatriculation"),
    ),
)
