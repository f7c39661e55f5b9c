"""Addresses as they are kept, and answers of servers that say anything."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.errors import EngineError, UsageError
from desktop_rag.retrieval.chroma_dialect import address_of, collection_url, count_in, held_in, ids_in, is_this_machine

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["id", "ids", "metadata", "encoder"]), inner),
)


@pytest.mark.parametrize(
    ("typed", "kept", "here"),
    [
        (" http://localhost:8000/ ", "http://127.0.0.1:8000", True),
        ("http://[::1]:8000", "http://[::1]:8000", True),
        ("https://chroma.example/team/api/v2", "https://chroma.example/team", False),
        ("http://127.0.0.1.example:1", "http://127.0.0.1.example:1", False),
    ],
)
def test_an_address_is_kept_as_it_is_asked(typed: str, kept: str, here: bool) -> None:
    assert address_of(typed) == kept
    assert is_this_machine(kept) is here
    assert address_of(kept) == kept


@pytest.mark.parametrize("typed", ["", "chroma", "ftp://a", "http://", "http://u:p@a", "http://a?k=1", "http://a:x"])
def test_what_is_no_address_is_told(typed: str) -> None:
    with pytest.raises(UsageError):
        address_of(typed)


def test_a_name_cannot_lead_elsewhere() -> None:
    assert collection_url("http://a", "../../x", "get").endswith("/collections/..%2F..%2Fx/get")


def test_ids_that_cannot_be_ours_are_refused() -> None:
    assert ids_in(b'{"ids": [["a:0", "b:1"]]}') == ["a:0", "b:1"]
    for said in (b'{"ids": ["\\ud800"]}', b'{"ids": [1]}', b'{"ids": null}', json.dumps({"ids": ["x" * 500]}).encode()):
        with pytest.raises(EngineError):
            ids_in(said)


@given(ANYTHING)
@pytest.mark.parametrize("read", [held_in, ids_in, count_in])
def test_whatever_a_server_says_is_read_or_refused(read: Callable[[bytes], Any], said: Any) -> None:
    # Anything else that is raised fails the test.
    with contextlib.suppress(EngineError):
        read(json.dumps(said).encode())


@pytest.mark.parametrize("said", [b"", b"<html>", b"[" * 100_000, b"\xff"])
@pytest.mark.parametrize("read", [held_in, ids_in, count_in])
def test_noise_is_refused(read: Callable[[bytes], Any], said: bytes) -> None:
    with pytest.raises(EngineError):
        read(said)
