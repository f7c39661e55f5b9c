"""store.json: what is written is read again, damage is noticed, nothing of a newer version is guessed at."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop_rag.errors import StoreError
from desktop_rag.store.key_record import Place, Record, check_of, dump, parse
from desktop_rag.store.passphrase import wrap

RAW = bytes(range(32))
PLACES = st.builds(Place, st.sampled_from(["keyring", "file"]), st.text("0123456789abcdef", min_size=1, max_size=16))


def code_of(content: bytes) -> str:
    with pytest.raises(StoreError) as caught:
        parse(content)
    assert caught.value.hint
    return caught.value.code


@given(PLACES, st.lists(PLACES, max_size=3))
def test_a_record_survives_the_disk(place: Place, stale: list[Place]) -> None:
    record = Record(place, check_of(RAW), stale=tuple(stale))
    assert parse(dump(record)) == record


def test_a_wrapped_key_survives_the_disk(cheap: None) -> None:
    record = Record(Place("passphrase", "a1"), check_of(RAW), wrap(RAW, b"correct horse"))
    assert parse(dump(record)) == record


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
def test_any_damage_is_noticed(cheap: None, data: st.DataObject) -> None:
    record = Record(Place("passphrase", "a1"), check_of(RAW), wrap(RAW, b"correct horse"))
    content = bytearray(dump(record))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    try:
        read = parse(bytes(content))
    except StoreError:
        return
    assert read == record, "white space may change without harm, nothing else"


def test_the_check_tells_keys_apart_and_is_no_part_of_them() -> None:
    record = Record(Place("file", "a1"), check_of(RAW))
    assert record.fits(RAW)
    assert not record.fits(bytes(32))
    assert record.check not in RAW.hex()


def test_a_newer_record_is_left_alone() -> None:
    told = json.loads(dump(Record(Place("file", "a1"), check_of(RAW))))
    assert code_of(json.dumps(told | {"version": 3}).encode()) == "newer_schema"


@pytest.mark.parametrize(
    "change", [{"protection": "hope"}, {"id": "../x"}, {"check": ""}, {"stale": {}}, {"wrapped": {}}, {"sum": ""}]
)
def test_a_changed_record_is_damaged(change: dict[str, Any]) -> None:
    told = json.loads(dump(Record(Place("file", "a1"), check_of(RAW))))
    assert code_of(json.dumps(told | change).encode()) == "wrong_key"


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"version": 2}', b"null"])
def test_what_is_no_record_is_damaged(content: bytes) -> None:
    assert code_of(content) == "wrong_key"
