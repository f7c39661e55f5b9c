"""Checksums: numbers made by the published rules are found, and no longer once one figure is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from desktop_rag.privacy.patterns import accounts, checks, de, es, fr, it, nl, pl, uk, us
from desktop_rag.privacy.patterns.find import find

# Published examples of the authorities, standards and encyclopaedias.
KNOWN: list[tuple[Callable[[str], bool], str]] = [
    (checks.luhn, "4111 1111 1111 1111"),
    (checks.luhn, "490154203237518"),
    (checks.iban, "GB82 WEST 1234 5698 7654 32"),
    (checks.iban, "DE89370400440532013000"),
    (checks.iban, "FR14 2004 1010 0505 0001 3M02 606"),
    (checks.iban, "PL61 1090 1014 0000 0712 1981 2874"),
    (checks.base58, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
    (checks.bech32, "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"),
    (checks.bech32, "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4"),
    (accounts.is_vin, "1M8GDM9AXKP042788"),
    (us.is_npi, "1234567893"),
    (us.is_routing, "111000025"),
    (us.is_dea, "AB1234563"),
    (us.is_ssn, "078-05-1120"),
    (uk.is_nhs, "943 476 5919"),
    (uk.is_licence, "MORGA657054SM9IJ"),
    (de.is_steuer_id, "86 095 742 719"),
    (de.is_rvnr, "65 170839 J 003"),
    (de.is_ausweis, "T220001293"),
    (fr.is_nir, "2 55 08 14 168 025 38"),
    (checks.luhn, "732 829 320 00074"),
    (es.is_dni, "12345678Z"),
    (es.is_dni, "X1234567L"),
    (es.is_cif, "A58818501"),
    (es.is_nass, "28 12345678 40"),
    (it.is_codice_fiscale, "MRTMTT25D09F205Z"),
    (nl.is_bsn, "111222333"),
    (pl.is_pesel, "44051401359"),
    (pl.is_nip, "123-456-32-18"),
    (pl.is_regon, "123456785"),
    (pl.is_regon, "12345678512347"),
    (pl.is_dowod, "ABA300000"),
    (pl.is_passport, "ZS0000177"),
]
# The others know only which numbers are never given out.
PROVEN = [known for known in KNOWN if known[0] not in (us.is_ssn, uk.is_licence)]


@pytest.mark.parametrize(("check", "value"), KNOWN, ids=[value for _, value in KNOWN])
def test_published_numbers_pass(check: Callable[[str], bool], value: str) -> None:
    assert check(value)


@pytest.mark.parametrize(("check", "value"), PROVEN, ids=[value for _, value in PROVEN])
def test_one_wrong_figure_is_seen(check: Callable[[str], bool], value: str) -> None:
    places = [m.start() for m in re.finditer(r"\d", value)]
    wrong = [value[:p] + str((int(value[p]) + 1) % 10) + value[p + 1 :] for p in places]
    passing = [w for w in wrong if check(w)]
    # A weight may share a factor with the modulus; most places must still be guarded.
    assert len(passing) <= len(wrong) // 5, passing


def _luhn_digit(body: str) -> str:
    return next(d for d in "0123456789" if checks.luhn(body + d) or len(set(body + d)) == 1)


def _labels(text: str) -> set[str]:
    return {f.label for f in find(text)}


@given(
    st.from_regex(r"[45]\d{14}", fullmatch=True), st.sampled_from(["", " ", "-"]), st.integers(0, 15), st.integers(1, 9)
)
def test_cards(body: str, between: str, place: int, by: int) -> None:
    body = body.translate({ord(c): str(int(c)) for c in body})
    number = body + _luhn_digit(body)
    assume(len(set(number)) > 1)
    wrong = number[:place] + str((int(number[place]) + by) % 10) + number[place + 1 :]
    assert "CREDIT_CARD" in _labels(f"Paid with {_grouped(number, between)}.")
    assert "CREDIT_CARD" not in _labels(f"Part {_grouped(wrong, between)}.")


def _grouped(number: str, between: str) -> str:
    return between.join(number[i : i + 4] for i in range(0, 16, 4))


@given(st.sampled_from(["DE", "ES", "PL", "IT", "NL"]), st.text("0123456789", min_size=24, max_size=24), st.booleans())
def test_accounts(country: str, figures: str, spaced: bool) -> None:
    body = figures[: int(checks.IBAN_LENGTHS[country]) - 4]
    if country == "NL":
        body = "ABNA" + body[4:]
    if country == "IT":
        body = "X" + body[1:]
    key = 98 - checks.lettered(f"{body}{country}00") % 97
    value = f"{country}{key:02d}{body}"
    written = " ".join(value[i : i + 4] for i in range(0, len(value), 4)) if spaced else value
    text = f"Please pay to {written} by Monday."
    found = [f for f in find(text) if f.label == "IBAN_CODE"]
    assert [text[f.start : f.end] for f in found] == [written]
    wrong = f"{country}{(key + 1) % 100:02d}{body}"
    assert "IBAN_CODE" not in _labels(f"Item {wrong}.")
    assert "IBAN_CODE" in _labels(f"IBAN: {wrong}."), "a mistyped account is an account all the same"


@given(st.dates(date(1800, 1, 1), date(2299, 12, 31)), st.integers(0, 9999))
@example(date(2004, 2, 29), 0)
def test_pesel(born: date, serial: int) -> None:
    month = born.month + {18: 80, 19: 0, 20: 20, 21: 40, 22: 60}[born.year // 100]
    body = f"{born.year % 100:02d}{month:02d}{born.day:02d}{serial:04d}"
    assume(len(set(body)) > 1)
    value = body + str(-checks.dot(checks.digits(body), (1, 3, 7, 9) * 2 + (1, 3)) % 10)
    assert "NATIONAL_ID" in _labels(f"Numer {value} zapisano.")
    wrong = body + str((int(value[-1]) + 1) % 10)
    assert "NATIONAL_ID" not in _labels(f"Numer {wrong} zapisano.")
    assert "NATIONAL_ID" in _labels(f"PESEL {wrong}")


@given(st.integers(0, 99_999_999))
def test_dni(number: int) -> None:
    assume(len(set(f"{number:08d}")) > 1)
    letter = "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23]
    other = "TRWAGMYFPDXBNJZSQVHLCKE"[(number + 1) % 23]
    assert "NATIONAL_ID" in _labels(f"Vino {number:08d}{letter} ayer.")
    assert "NATIONAL_ID" not in _labels(f"Vino {number:08d}{other} ayer.")


@given(st.integers(10**12, 10**13 - 1))
def test_nir(number: int) -> None:
    body = "1" + f"{number}"[1:3] + "05" + f"{number}"[5:]
    assume(body[5:7] != "00")
    value = f"{body}{97 - int(body) % 97:02d}"
    wrong = f"{body}{(97 - int(body) % 97) % 97 + 1:02d}"
    assert "NATIONAL_ID" in _labels(f"n {value} x")
    assert "NATIONAL_ID" not in _labels(f"n {wrong} x")


@given(st.text("0123456789", min_size=8, max_size=8), st.integers(1, 9))
def test_bsn_needs_its_name(body: str, by: int) -> None:
    assume(body[0] != "0" and len(set(body)) > 1)
    rest = checks.dot(checks.digits(body), range(9, 1, -1)) % 11
    assume(rest < 10)
    assert "NATIONAL_ID" in _labels(f"BSN {body}{rest}")
    assert "NATIONAL_ID" not in _labels(f"aantal {body}{rest} stuks")
