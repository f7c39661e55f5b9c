"""Checksums of the numbers that states, banks and makers give out. Each takes the value as it is written."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import date

Check = Callable[[str], bool]

IBAN_LENGTHS = dict(
    re.findall(
        r"([A-Z]{2})(\d+)",
        "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27"
        "GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22"
        "MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28"
        "TL23TN24TR26UA29VA22VG24XK20YE30",
    )
)
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def digits(value: str) -> list[int]:
    """The figures of a value."""
    return [int(c) for c in value if c.isdecimal()]


def compact(value: str) -> str:
    """The letters and figures of a value, in capitals."""
    return "".join(c for c in value if c.isalnum()).upper()


def dot(figures: Sequence[int], weights: Sequence[int]) -> int:
    """The weighted sum of the first figures, as many as there are weights."""
    return sum(f * w for f, w in zip(figures, weights, strict=False))


def varied(value: str) -> bool:
    """Whether it is not merely one figure repeated, which passes many a checksum."""
    return len(set(digits(value))) > 1


def luhn(value: str) -> bool:
    """The check of cards, IMEI, SIREN (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, figure in enumerate(reversed(digits(value))):
        double = figure * 2 if place % 2 else figure
        total += double - 9 if double > 9 else double
    return total % 10 == 0 and varied(value)


def lettered(value: str) -> int:
    """The number that letters and figures stand for, A being 10 (ISO 13616)."""
    return int("".join(str(int(c, 36)) for c in compact(value)))


def iban(value: str) -> bool:
    """The country's length and the rest of a division by 97 (ISO 13616)."""
    written = compact(value)
    if not written.isascii() or len(written) != int(IBAN_LENGTHS.get(written[:2], 0)):
        return False
    return lettered(written[4:] + written[:4]) % 97 == 1


def weighted(weights: Sequence[int], modulus: int, *, rest: Sequence[int] = ()) -> Check:
    """A check of the last figure: the weighted sum of those before it, divided; `rest` maps what remains to it."""

    def check(value: str) -> bool:
        figures = digits(value)
        if len(figures) != len(weights) + 1 or not varied(value):
            return False
        remains = dot(figures, weights) % modulus
        return figures[-1] == (rest[remains] if rest else remains)

    return check


def mod11_10(value: str) -> bool:
    """The recursive check of the German tax number and others (ISO 7064, MOD 11,10)."""
    figures = digits(value)
    product = 10
    for figure in figures[:-1]:
        product = ((figure + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == figures[-1]


def lettered_731(value: str) -> int:
    """The sum of letters (A is 10) and figures under the weights 7, 3, 1 (ICAO Doc 9303), not yet divided."""
    return sum(int(c, 36) * (7, 3, 1)[place % 3] for place, c in enumerate(value))


def is_day(year: int, month: int, day: int) -> bool:
    """Whether the calendar has it."""
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def base58(value: str) -> bool:
    """A Bitcoin address of the old form: 25 bytes whose last four are a hash of the others."""
    number = 0
    for c in value:
        number = number * 58 + _BASE58.index(c)
    if number.bit_length() > 200:
        return False
    raw = number.to_bytes(25, "big")
    return hashlib.sha256(hashlib.sha256(raw[:-4]).digest()).digest()[:4] == raw[-4:]


def bech32(value: str) -> bool:
    """A Bitcoin address of the new form: a polynomial checksum (BIP 173, BIP 350)."""
    lower = value.lower()
    person, _, data = lower.rpartition("1")
    if value not in (lower, value.upper()) or any(c not in _BECH32 for c in data):
        return False
    spread = [ord(c) >> 5 for c in person] + [0] + [ord(c) & 31 for c in person]
    check = 1
    for part in [*spread, *(_BECH32.index(c) for c in data)]:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ part
        for bit, step in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= step if top >> bit & 1 else 0
    return check in (1, 0x2BC830A3)
