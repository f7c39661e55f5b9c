"""Invented values of the self-test that are known by their shape: numbers of papers, plates, telephones, dates."""

from __future__ import annotations

import string
from collections.abc import Callable

from desktop_rag.evaluation.selftest_values import CONSONANTS, Draw, born, letters

# "#" a digit, "?" a letter, "*" a consonant, "=" a digit or letter; everything else stands for itself.
_FILL = {"#": string.digits, "?": string.ascii_uppercase, "*": CONSONANTS, "=": string.digits + "CFGHJKLM"}
_SHAPES: dict[str, dict[str, tuple[str, ...]]] = {
    "passport": {
        "en": ("5########",),
        "de": ("C##*=#=*#", "F#**##=##"),
        "fr": ("##??#####",),
        "es": ("???######",),
        "it": ("Y?#######",),
        "nl": ("N=#*#*=##",),
        "pl": ("E?#######",),
    },
    "licence": {
        "en": ("*****9#####??9**",),
        "de": ("B0##**?#?##",),
        "fr": ("##1#########",),
        "es": ("########-*",),
        "it": ("U1*######*",),
        "nl": ("4#########",),
        "pl": ("#####/2#/14##",),
    },
    "plate": {
        "en": ("*?21 ***", "*?68 ***"),
        "de": ("M-** 4###", "HH-?* 7##", "KA-* 3##"),
        "fr": ("**-###-**",),
        "es": ("#### ***",),
        "it": ("** ### **",),
        "nl": ("**-##-**", "#-***-##"),
        "pl": ("WA 4###*", "KR 7####", "GD 3##**"),
    },
    "phone": {
        "en": ("+44 20 7946 0###", "(212) 555-01##", "07700 900###", "+1 415 555 01##"),
        "de": ("+49 30 23####", "0171 23#####", "+49 (0)40 2####-##", "089 54#####"),
        "fr": ("06 1# ## ## ##", "+33 1 42 ## ## ##", "04 78 ## ## ##"),
        "es": ("612 ### ###", "+34 91 5## ## ##", "+34 6## ### ###"),
        "it": ("+39 347 1## ####", "06 69## ####", "333 4## ####"),
        "nl": ("06-12######", "+31 20 5## ####", "030 2## ####"),
        "pl": ("+48 601 ### ###", "22 5## ## ##", "512 ### ###"),
    },
    "record_number": {
        "en": ("MR-4#####", "CLM/2024/3####", "H1###-###"),
        "de": ("12 O 3##/23", "SCH-2024-4####", "P70#####"),
        "fr": ("2024-S-4####", "DOS/3####/B", "P21 ### ##"),
        "es": ("EXP-2024/3####", "NHC 4#####", "SIN-4####-B"),
        "it": ("PR/2024/3####", "CC-4#####", "S.3###/24"),
        "nl": ("D2024-4####", "PAT-3#####", "SCH4####"),
        "pl": ("I C 3##/24", "SZK/4####/2024", "HCH-3#####"),
    },
}
_POSTCODES = {"nl": "4### **", "pl": "##-###"}


def filled(draw: Draw, shape: str) -> str:
    """A shape with its places filled."""
    return "".join(draw.choice(_FILL.get(c, c)) for c in shape)


def shaped(kind: str) -> Callable[[Draw, str], str]:
    """What draws a value of one kind in the shapes of a language."""
    return lambda draw, language: filled(draw, draw.choice(_SHAPES[kind][language]))


def password(draw: Draw, language: str) -> str:
    """A password as people make them up."""
    word = letters(draw, 1) + letters(draw, draw.randint(5, 8), string.ascii_lowercase)
    return f"{word}{draw.choice('!#$%&')}{draw.randint(10, 9999)}{letters(draw, draw.randint(0, 2))}"


_KEYS: tuple[Callable[[Draw], str], ...] = (
    lambda draw: "sk_live_" + letters(draw, 24, string.ascii_letters + string.digits),
    lambda draw: "AKIA" + letters(draw, 16, string.ascii_uppercase + "234567"),
    lambda draw: "ghp_" + letters(draw, 36, string.ascii_letters + string.digits),
    lambda draw: letters(draw, 40, "0123456789abcdef"),
)


def api_key(draw: Draw, language: str) -> str:
    """A key of a service, in the shape of one that is known or of none."""
    return draw.choice(_KEYS)(draw)


def ip(draw: Draw, language: str) -> str:
    """An address of the ranges kept for documentation (RFC 5737, RFC 3849)."""
    if draw.random() < 0.25:
        return f"2001:db8:{draw.randint(256, 65535):x}:{draw.randint(1, 255):x}::{draw.randint(1, 4095):x}"
    return f"{draw.choice(('192.0.2', '198.51.100', '203.0.113'))}.{draw.randint(1, 254)}"


_MONTHS = {
    "en": "January February March April May June July August September October November December".split(),
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split(),
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split(),
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre".split(),
    "nl": "januari februari maart april mei juni juli augustus september oktober november december".split(),
    "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia".split(),
}
_WRITTEN = {"de": "{day}. {month} {year}", "es": "{day} de {month} de {year}"}
_NUMBERED = {"en": "{day:02}/{m:02}/{year}", "nl": "{day:02}-{m:02}-{year}", "de": "{day:02}.{m:02}.{year}"}


def _dated(draw: Draw, language: str, year: int, month: int, day: int) -> str:
    if draw.random() < 0.5:
        form = _NUMBERED.get(language, "{day:02}.{m:02}.{year}" if language == "pl" else "{day:02}/{m:02}/{year}")
        return form.format(day=day, m=month, year=year)
    form = _WRITTEN.get(language, "{day} {month} {year}")
    return form.format(day=day, month=_MONTHS[language][month - 1], year=year)


def birth_date(draw: Draw, language: str) -> str:
    """A date of birth, in figures or words."""
    return _dated(draw, language, *born(draw))


def date(draw: Draw, language: str) -> str:
    """A date of the last years."""
    return _dated(draw, language, draw.randint(2021, 2025), draw.randint(1, 12), draw.randint(1, 28))


def postcode(draw: Draw, language: str) -> str:
    """A postcode of the country."""
    return filled(draw, _POSTCODES.get(language, "4####"))


def house(draw: Draw, language: str, street: str) -> str:
    """A street with a house number, as the country writes it."""
    number = f"{draw.randint(2, 180)}"
    if language in ("en", "fr"):
        return f"{number} {street}"
    more = {"es": f", {draw.randint(1, 6)}.º B", "pl": f"/{draw.randint(1, 60)}", "de": draw.choice("abc")}
    joined = f"{street}, {number}" if language == "es" else f"{street} {number}"
    return joined + (more.get(language, "") if draw.random() < 0.5 else "")
