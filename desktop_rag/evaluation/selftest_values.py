"""Invented values for the self-test, seven countries' shapes, with check digits that add up. Pure.

Every number is drawn at random; that one of them belongs to somebody cannot be ruled out, as for any valid number.
"""

from __future__ import annotations

import random
import string
import unicodedata
from collections.abc import Callable, Sequence
from itertools import cycle

Draw = random.Random
CONSONANTS = "BCDFGHJKLMNPRSTVWXYZ"


def digits(draw: Draw, number: int) -> str:
    """So many digits, the first of them not 0."""
    return str(draw.randint(1, 9)) + "".join(str(draw.randint(0, 9)) for _ in range(number - 1))


def letters(draw: Draw, number: int, of: str = string.ascii_uppercase) -> str:
    """So many letters."""
    return "".join(draw.choices(of, k=number))


def weighted(number: str, weights: Sequence[int]) -> int:
    """The sum of the digits, each times its weight; the weights begin again where they are fewer."""
    return sum(int(digit) * weight for digit, weight in zip(number, cycle(weights), strict=False))


def luhn(number: str) -> str:
    """The number with its check digit (ISO/IEC 7812)."""
    doubled = [int(d) * (2 if place % 2 == 0 else 1) for place, d in enumerate(reversed(number))]
    return number + str(-sum(n - 9 if n > 9 else n for n in doubled) % 10)


def grouped(number: str, *sizes: int, mark: str = " ") -> str:
    """The number in groups; the last size repeats."""
    parts, at, left = [], 0, list(sizes)
    while at < len(number):
        size = left.pop(0) if len(left) > 1 else left[0]
        parts.append(number[at : at + size])
        at += size
    return mark.join(parts)


def ascii_letters(text: str) -> str:
    """The letters of a name as they stand in an address."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("ł", "l").replace("ß", "ss"))
    return "".join(c for c in plain if c in string.ascii_lowercase)


# -- accounts and cards ------------------------------------------------------------------------

_ACCOUNTS: dict[str, tuple[str, Callable[[Draw], str]]] = {
    "en": ("GB", lambda draw: letters(draw, 4) + digits(draw, 14)),
    "de": ("DE", lambda draw: digits(draw, 18)),
    "fr": ("FR", lambda draw: _french_account(digits(draw, 21))),
    "es": ("ES", lambda draw: _spanish_account(digits(draw, 8), digits(draw, 10))),
    "it": ("IT", lambda draw: _italian_account(digits(draw, 22))),
    "nl": ("NL", lambda draw: letters(draw, 4) + "0" + digits(draw, 9)),
    "pl": ("PL", lambda draw: digits(draw, 24)),
}


def _french_account(number: str) -> str:
    bank, branch, account = int(number[:5]), int(number[5:10]), int(number[10:])
    return f"{number}{97 - (89 * bank + 15 * branch + 3 * account) % 97:02}"


def _spanish_account(bank: str, account: str) -> str:
    weights = (1, 2, 4, 8, 5, 10, 9, 7, 3, 6)
    checks = (11 - weighted(number, weights) % 11 for number in ("00" + bank, account))
    return bank + "".join({11: "0", 10: "1"}.get(check, str(check)) for check in checks) + account


def _italian_account(number: str) -> str:
    total = sum(_ODD[int(d)] if place % 2 == 0 else int(d) for place, d in enumerate(number))
    return string.ascii_uppercase[total % 26] + number


def iban(draw: Draw, language: str) -> str:
    """An account number (ISO 13616), mostly in groups of four."""
    country, account = _ACCOUNTS[language]
    body = account(draw)
    number = "".join(str(int(c, 36)) for c in f"{body}{country}00")
    written = f"{country}{98 - int(number) % 97:02}{body}"
    return written if draw.random() < 0.25 else grouped(written, 4)


def card(draw: Draw, language: str) -> str:
    """A payment card's number."""
    first = draw.choice(("4", "51", "53", "55", "37"))
    number = luhn(first + digits(draw, (14 if first == "37" else 15) - len(first)))
    return grouped(number, 4, 6, 5) if first == "37" else grouped(number, 4, mark=draw.choice((" ", " ", "-", "")))


# -- numbers of the state ----------------------------------------------------------------------

_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)


def born(draw: Draw) -> tuple[int, int, int]:
    """The year, month and day of somebody's birth."""
    return draw.randint(1941, 1999), draw.randint(1, 12), draw.randint(1, 28)


def _id_en(draw: Draw) -> str:
    if draw.random() < 0.5:
        return f"{draw.randint(100, 665)}-{draw.randint(10, 99)}-{draw.randint(1000, 9999)}"
    number = letters(draw, 1, "ABCEGHJKLMNPRSTWXYZ") + letters(draw, 1, "ABCEGHJKLMPRSTWXYZ")
    pairs = " ".join(digits(draw, 2) for _ in range(3))
    return f"{number} {pairs} {letters(draw, 1, 'ABCD')}"


def _id_de(draw: Draw) -> str:
    year, month, day = born(draw)
    initial = letters(draw, 1)
    number = f"{draw.randint(10, 79)}{day:02}{month:02}{year % 100:02}"
    serial = f"{draw.randint(0, 99):02}"
    spelt = f"{number}{ord(initial) - 64:02}{serial}"
    products = [int(d) * w for d, w in zip(spelt, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1), strict=True)]
    check = sum(p // 10 + p % 10 for p in products) % 10
    return f"{number[:2]} {number[2:]} {initial} {serial}{check}"


def _id_fr(draw: Draw) -> str:
    year, month, _day = born(draw)
    number = f"{draw.randint(1, 2)}{year % 100:02}{month:02}{draw.randint(1, 95):02}"
    number += f"{draw.randint(1, 900):03}{draw.randint(1, 999):03}"
    return f"{grouped(number, 1, 2, 2, 2, 3, 3)} {97 - int(number) % 97:02}"


def _id_es(draw: Draw) -> str:
    number = digits(draw, 8)
    return number + "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23]


def _id_it(draw: Draw) -> str:
    year, month, day = born(draw)
    code = f"{letters(draw, 6, CONSONANTS)}{year % 100:02}{'ABCDEHLMPRST'[month - 1]}"
    code += f"{day + 40 * draw.randint(0, 1):02}{letters(draw, 1, 'ABCDEFGHIL')}{draw.randint(1, 999):03}"
    values = [int(c, 36) - (10 if c.isalpha() else 0) for c in code]
    return code + string.ascii_uppercase[sum(_ODD[v] if n % 2 == 0 else v for n, v in enumerate(values)) % 26]


def _id_nl(draw: Draw) -> str:
    while True:
        number = digits(draw, 8)
        check = weighted(number, (9, 8, 7, 6, 5, 4, 3, 2)) % 11
        if check < 10:
            return f"{number}{check}"


def _id_pl(draw: Draw) -> str:
    year, month, day = born(draw)
    number = f"{year % 100:02}{month:02}{day:02}{digits(draw, 4)}"
    return f"{number}{-weighted(number, (1, 3, 7, 9)) % 10}"


_IDS = {"en": _id_en, "de": _id_de, "fr": _id_fr, "es": _id_es, "it": _id_it, "nl": _id_nl, "pl": _id_pl}


def national_id(draw: Draw, language: str) -> str:
    """A national identity, insurance or social security number."""
    return _IDS[language](draw)


def _tax_en(draw: Draw) -> str:
    number = digits(draw, 9)
    return "21987654321"[weighted(number, (6, 7, 8, 9, 10, 5, 4, 3, 2)) % 11] + number


def _tax_de(draw: Draw) -> str:
    # Ten digits of which exactly one stands twice, then a check digit (ISO 7064, modulus 11, 10).
    used = draw.sample("0123456789", 9)
    number = [*used, draw.choice(used)]
    draw.shuffle(number)
    if number[0] == "0":
        number.reverse()
    if number[0] == "0":
        return _tax_de(draw)
    product = 10
    for digit in number:
        product = (((int(digit) + product) % 10 or 10) * 2) % 11
    return grouped(f"{''.join(number)}{(11 - product) % 10}", 2, 3)


def _tax_fr(draw: Draw) -> str:
    number = f"{draw.randint(0, 3)}{digits(draw, 9)}"
    return grouped(f"{number}{int(number) % 511:03}", 2, 2, 3)


def _tax_es(draw: Draw) -> str:
    number = digits(draw, 7)
    odd = sum(n // 10 + n % 10 for n in (2 * int(d) for d in number[::2]))
    return f"{letters(draw, 1, 'ABEH')}{number}{-(odd + sum(map(int, number[1::2]))) % 10}"


def _tax_nl(draw: Draw) -> str:
    return f"NL{_id_nl(draw)}B{draw.randint(1, 9):02}"


def _tax_pl(draw: Draw) -> str:
    while True:
        number = digits(draw, 9)
        check = weighted(number, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11
        if check < 10:
            return grouped(f"{number}{check}", 3, 3, 2, 2, mark="-")


_TAXES: dict[str, Callable[[Draw], str]] = {
    "en": _tax_en,
    "de": _tax_de,
    "fr": _tax_fr,
    "es": _tax_es,
    "it": lambda draw: luhn(digits(draw, 10)),
    "nl": _tax_nl,
    "pl": _tax_pl,
}


def tax_number(draw: Draw, language: str) -> str:
    """A tax or VAT number."""
    return _TAXES[language](draw)
