"""Money and the things that carry a number of their own: accounts, cards, wallets, vehicles, telephones."""

from __future__ import annotations

import re

from desktop_rag.privacy.patterns import checks
from desktop_rag.privacy.patterns.pattern import GAP, At, Pattern, checked, glued, named, words

_VIN = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ", (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9), strict=True)
)
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_ACCOUNT_NAMES = (
    "account, bank account, checking account, savings account, acct, cuenta, cuenta bancaria, cuenta corriente,"
    " compte, compte bancaire, conto, conto corrente, konto, kontonummer, konto-nr, ktonr, kto, rekening,"
    " rekeningnummer, bankrekening, bankrekeningnummer, konta, rachunek, rachunku, rachunku bankowego, numer konta,"
    " nr konta, numer rachunku, nr rachunku, número de cuenta, nº de cuenta, numéro de compte, numero di conto"
)
_BANK_NAMES = "routing, aba, rtn, sort code, sortcode, transit, blz, bankleitzahl, abi, cab, code banque, code guichet"


def _iban() -> str:
    """One alternative for each length, so that a word after the account is not taken in."""
    lengths: dict[str, list[str]] = {}
    for country, length in checks.IBAN_LENGTHS.items():
        lengths.setdefault(length, []).append(country)
    shapes = (rf"(?:{'|'.join(c)})\d\d(?:{GAP}?[A-Z0-9]){{{int(n) - 4}}}" for n, c in sorted(lengths.items()))
    return rf"(?<!\w)(?=[A-Z]{{2}}\d\d)(?:{'|'.join(shapes)})(?![A-Za-z0-9])"


def _is_card(value: str) -> bool:
    return value.count("\n") < 2 and checks.luhn(value)


def _is_nrb(value: str) -> bool:
    return checks.iban(f"PL{value}")


def is_vin(value: str) -> bool:
    """The ninth character checks the others (49 CFR 565.15)."""
    if not any(c.isalpha() for c in value):
        return False
    rest = sum(int(_VIN.get(c, c)) * w for c, w in zip(value.upper(), _VIN_WEIGHTS, strict=True)) % 11
    return value[8].upper() == "0123456789X"[rest]


def _mixed(value: str) -> bool:
    return any(c.isalpha() for c in value) and sum(c.isdigit() for c in value) > 3


def _is_place(value: str) -> bool:
    north, east = (float(part) for part in re.findall(r"-?\d+\.\d+", value))
    return abs(north) <= 90 and abs(east) <= 180


_CARD = (
    r"(?<![\w.,-])(?:[2-6]\d{3}(?:[ \u00a0\n-]?\d{4}){3}|3[47]\d\d[ \u00a0-]?\d{6}[ \u00a0-]?\d{5}"
    r"|3[068]\d{12}|\d{18,19})(?![\w.]\d|\d)"
)
_VIN_SHAPE = re.compile(r"(?<![\w-])[A-HJ-NPR-Z0-9]{17}(?![\w-])")
_SECONDS = r"(?:\d{1,2}(?:[.,]\d{1,4})?[ \u00a0]?(?:\"|″|''|”)[ \u00a0]?)?"
_DEGREES = rf"\d{{1,3}}[ \u00a0]?°[ \u00a0]?\d{{1,2}}(?:[.,]\d{{1,4}})?[ \u00a0]?['′’][ \u00a0]?{_SECONDS}[NSEWO](?!\w)"

PATTERNS = (
    checked("IBAN_CODE", _iban(), checks.iban, 0.99, "iban account konto cuenta compte conto rekening", At.CODE),
    checked(
        "IBAN_CODE",
        r"(?<![\w.,-])\d\d(?:[ \u00a0\n-]?\d{4}){6}(?![\w-])",
        _is_nrb,
        0.97,
        "konto konta rachunek rachunku bank account nrb przelew",
    ),
    checked(
        "CREDIT_CARD",
        _CARD,
        _is_card,
        0.8,
        "card visa mastercard amex maestro karte kreditkarte carte bancaire tarjeta carta credito kaart creditcard"
        " karta karty kredytowa kredytowej płatnicza płatniczej cvv cvc",
    ),
    named("IBAN_CODE", _ACCOUNT_NAMES.split(", "), r"(?=(?:[ \u00a0-]?\d){5})\d+(?:[ \u00a0/-]\d{2,}){0,7}"),
    named("CREDIT_CARD", ("cvv", "cvc", "csc", "cvv2"), r"\d{3,4}"),
    named("US_BANK_NUMBER", _BANK_NAMES.split(", "), r"\d\d-\d\d-\d\d|\d{3}[ ]\d{3}[ ]\d{2}|\d{5,9}"),
    named(
        "US_BANK_NUMBER",
        ("bic", "swift", "bic/swift", "swift/bic", "swift-bic"),
        r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?",
    ),
    Pattern("CRYPTO", re.compile(r"(?<!\w)[13][1-9A-HJ-NP-Za-km-z]{25,33}(?!\w)"), 0.97, At.CODE, checks.base58),
    Pattern("CRYPTO", re.compile(r"(?<!\w)(?i:bc|tb|ltc)1[0-9A-Za-z]{25,87}(?!\w)"), 0.97, At.CODE, checks.bech32),
    Pattern("CRYPTO", re.compile(r"(?<!\w)0x[0-9a-fA-F]{40}(?!\w)"), 0.9, At.CODE),
    Pattern("VEHICLE_NUMBER", _VIN_SHAPE, 0.75, At.CODE, lambda v: _mixed(v) and is_vin(v)),
    Pattern(
        "VEHICLE_NUMBER",
        _VIN_SHAPE,
        0.0,
        At.CODE,
        _mixed,
        words("vin chassis fahrgestellnummer fin châssis bastidor telaio nadwozia podwozia vehicle fahrzeug"),
    ),
    Pattern(
        "RECORD_NUMBER",
        re.compile(r"(?<![\w.-])\d{2}[ -]?\d{6}[ -]?\d{6}[ -]?\d(?![\w-])"),
        0.3,
        At.NUMBER,
        checks.luhn,
        words("imei phone handset device gerät appareil dispositivo toestel telefon telefonu smartphone"),
    ),
    Pattern(
        "RECORD_NUMBER",
        re.compile(r"(?<![\w-])[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?![\w-])"),
        0.0,
        At.CODE,
        None,
        words("user patient customer client member person employee device session subject benutzer utente usuario"),
        0.6,
    ),
    Pattern(
        "LOCATION",
        re.compile(r"(?<![\w.])\d{1,2}\.\d{4,9}°?[NS]?,[ ]?-?\d{1,3}\.\d{4,9}°?[EWO]?(?![\w.]\d|\w)"),
        0.6,
        At.NUMBER,
        _is_place,
    ),
    Pattern("LOCATION", re.compile(rf"(?<![\w.,]){_DEGREES}(?:[ ,;/]{{1,2}}{_DEGREES})?"), 0.8, At.NUMBER),
    named("RECORD_NUMBER", ("imei", *glued("serien"), "serial"), r"(?=[A-Z-]{0,8}\d)[A-Z0-9-]{6,20}"),
)
