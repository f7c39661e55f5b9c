"""A key behind a passphrase: it comes back with that one, never with another, and a file cannot ask for too much."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from desktop_rag.store.passphrase import as_bytes, sound, unwrap, wrap

KEYS = st.binary(min_size=32, max_size=32)
TEXTS = st.text(min_size=1, max_size=40)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
RAW = bytes(range(32))


@given(KEYS, TEXTS)
@QUICK
def test_the_key_comes_back(cheap: None, raw: bytes, text: str) -> None:
    wrapped = wrap(raw, as_bytes(text))
    assert sound(wrapped)
    assert unwrap(wrapped, as_bytes(text)) == raw
    assert raw.hex() not in str(wrapped)


@given(KEYS, TEXTS, TEXTS)
@QUICK
def test_another_passphrase_never_opens(cheap: None, raw: bytes, text: str, other: str) -> None:
    assume(unicodedata.normalize("NFC", text) != unicodedata.normalize("NFC", other))
    assert unwrap(wrap(raw, as_bytes(text)), as_bytes(other)) is None


@given(st.binary(min_size=1, max_size=40))
@QUICK
def test_bytes_of_a_file_are_the_same_by_way_of_text(cheap: None, content: bytes) -> None:
    assert as_bytes(content.decode("utf-8", "surrogateescape")) == content


def test_a_lone_surrogate_is_a_character_like_any_other(cheap: None) -> None:
    assert unwrap(wrap(RAW, as_bytes("\ud800 horse")), as_bytes("\ud800 horse")) == RAW


def test_the_same_letters_of_another_system_are_the_same(cheap: None) -> None:
    composed, parted = (unicodedata.normalize(form, "Müller-Straße 7").encode() for form in ("NFC", "NFD"))
    assert composed != parted
    assert unwrap(wrap(RAW, composed), parted) == RAW


def test_two_keys_behind_one_passphrase_have_nothing_in_common(cheap: None) -> None:
    one, two = wrap(RAW, b"correct horse"), wrap(RAW, b"correct horse")
    assert all(one[name] != two[name] for name in ("salt", "nonce", "key"))


def test_guessing_is_dear() -> None:
    wrapped = wrap(RAW, b"correct horse")
    assert wrapped["kdf"] == "argon2id"
    assert wrapped["memory_kib"] >= 64 * 1024
    assert wrapped["iterations"] >= 3
    assert unwrap(wrapped, b"correct horse") == RAW


@pytest.mark.parametrize(
    "change",
    [
        {"kdf": "scrypt"},
        {"memory_kib": 1 << 30},
        {"memory_kib": 4},
        {"memory_kib": True},
        {"iterations": 0},
        {"iterations": 1_000_000},
        {"lanes": "4"},
        {"lanes": 200},
        {"salt": "00"},
        {"nonce": None},
        {"key": "no hexadecimal"},
        {"key": "00" * 32},
    ],
)
def test_what_a_file_may_ask_for_is_bounded(cheap: None, change: dict[str, Any]) -> None:
    wrapped = wrap(RAW, b"correct horse")
    assert sound(wrapped)
    assert not sound(wrapped | change)
    assert not sound([wrapped])
