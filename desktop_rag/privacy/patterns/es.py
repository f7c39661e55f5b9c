"""Spain: identity, tax and insurance numbers, and the headings of clinical records."""

from __future__ import annotations

import re

from desktop_rag.privacy.patterns import checks
from desktop_rag.privacy.patterns.pattern import At, Pattern, checked, cues, either, named

_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_CIF_LETTERS = "JABCDEFGHI"
_ID = "dni nif nie documento identidad pasaporte"
_KIN = (
    "padre, madre, hermano, hermana, hermanos, hermanas, hijo, hija, hijos, hijas, esposo, esposa, marido, mujer,"
    " abuelo, abuela, abuelos, abuela materna, abuelo materno, abuela paterna, abuelo paterno, tío, tía, tíos, primo,"
    " prima, primos, sobrino, sobrina, nieto, nieta, cónyuge, padres, suegro, suegra, cuñado, cuñada"
)
_SEX = "varón|hombre|mujer|masculino|femenino|niño|niña|M|H|V|F"


def is_dni(value: str) -> bool:
    """The letter is chosen by the rest of a division by 23; X, Y, Z of foreigners stand for 0, 1, 2."""
    written = checks.compact(value)
    number = written[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return _LETTERS[int(number) % 23] == written[-1] and checks.varied(value)


def is_cif(value: str) -> bool:
    """Luhn's sum over seven figures gives the last figure, or the letter that stands for it."""
    written = checks.compact(value)
    figures = [int(c) for c in written[1:8]]
    doubled = sum(f * 2 - 9 if f > 4 else f * 2 for f in figures[::2])
    last = (10 - (doubled + sum(figures[1::2])) % 10) % 10
    return written[8] in (str(last), _CIF_LETTERS[last]) and len(set(figures)) > 1


def is_nass(value: str) -> bool:
    """The last two figures are the rest of a division of the others by 97."""
    figures = "".join(map(str, checks.digits(value)))
    province, number, check = figures[:2], figures[2:10], int(figures[10:12])
    short = int(number) < 10_000_000
    whole = int(province) * 10_000_000 + int(number) if short else int(province + number)
    return 1 <= int(province) <= 66 and whole % 97 == check


PATTERNS = (
    checked("NATIONAL_ID", r"(?<![\w.,-])(?:\d{8}|\d{1,2}\.\d{3}\.\d{3})[ -]?[A-HJ-NP-TV-Z](?!\w)", is_dni, 0.85, _ID),
    checked("NATIONAL_ID", r"(?<![\w-])[XYZ][ -]?\d{7}[ -]?[A-HJ-NP-TV-Z](?!\w)", is_dni, 0.9, _ID, At.CODE),
    checked(
        "COMPANY_NUMBER",
        r"(?<![\w-])[ABCDEFGHJNPQRSUVW][ -]?\d{7}[ -]?[0-9A-J](?![\w-])",
        is_cif,
        0.7,
        "cif nif",
        At.CODE,
    ),
    checked(
        "NATIONAL_ID",
        r"(?<![\w.,-])\d\d[ /-]\d{8}[ /-]\d\d(?![\w/-])",
        is_nass,
        0.75,
        "nass seguridad social afiliación naf",
    ),
    named("LOCATION", ("cp", "c.p", "código postal"), r"\d{5}", 0.8),
    Pattern(
        "DEMOGRAPHIC",
        re.compile(rf"(?i:sexo|género)[ ]?:[ ]?(?P<value>(?i:{_SEX}))(?!\w)"),
        0.9,
        cues("sexo género"),
    ),
    # "su madre", "un hermano"
    Pattern(
        "DEMOGRAPHIC",
        re.compile(rf"(?i:sus?|mis?|del|al|una?)\s(?P<value>{either(_KIN.split(', '))})(?!\w)"),
        0.5,
        cues("su sus mi mis del al un una"),
    ),
    Pattern(
        "DEMOGRAPHIC",
        re.compile(r"(?P<value>(?i:varón|mujer|hombre|niño|niña))(?=,?\s(?i:de)\s\d{1,3}\s(?i:años|meses|días))"),
        0.85,
        cues("varón mujer hombre niño niña"),
    ),
)
