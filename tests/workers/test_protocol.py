"""The pipe's lines: everything JSON can hold goes through unharmed, everything else is noise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.workers.protocol import decode, encode

TEXT = st.text(st.characters())  # with lone surrogates: they occur in file names
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(TEXT, VALUES, max_size=5))
def test_a_message_survives_the_pipe_as_one_ascii_line(message: dict[str, object]) -> None:
    line = encode(message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert line.isascii()
    assert decode(line) == message


@given(st.binary(max_size=60))
def test_any_bytes_are_a_mapping_or_noise(line: bytes) -> None:
    assert isinstance(decode(line), dict | None)


@pytest.mark.parametrize("line", [b"", b"\n", b"null", b"[1]", b'"text"', b'{"half":', b"\xff\xfe", b"[" * 200_000])
def test_noise_is_none(line: bytes) -> None:
    assert decode(line) is None
