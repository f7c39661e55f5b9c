"""From text to terms: tokens stay whole, codes keep their whole, scripts without spaces are cut in pairs."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.retrieval.analyse import terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The pumps were running", ["pump", "were", "run"]),
        (
            "[PERSON_3] paid [EMAIL_ADDRESS_12] and [LOCATION]",
            ["[PERSON_3]", "paid", "[EMAIL_ADDRESS_12]", "[LOCATION]"],
        ),
        ("[PERSON_3]'s car", ["[PERSON_3]", "car"]),
        ("K-103", ["k", "103", "k-103"]),
        ("valve V2.10/B", ["valv", "v2", "10", "b", "v2.10/b"]),
        ("well-known", ["well", "known"]),
        ("東京都庁", ["東京", "京都", "都庁"]),
        ("水", ["水"]),
        ("서울 pump", ["서울", "pump"]),
        ("O’Brien's", ["o", "brien"]),
        ("ﬁnance", ["financ"]),
        ("of the", []),
        ("", []),
    ],
)
def test_known_cases(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


@pytest.mark.parametrize("look_alike", ["［PERSON_3］", "[person_3]", "[PERSON 3]", "(PERSON_3)"])
def test_only_our_own_tokens_are_tokens(look_alike: str) -> None:
    assert not any(term.startswith("[") for term in terms(look_alike))


@given(st.text(max_size=60))
def test_decomposed_accents_give_the_same_terms(text: str) -> None:
    assert terms(unicodedata.normalize("NFD", text)) == terms(unicodedata.normalize("NFC", text))


@given(
    st.lists(st.from_regex(r"\[[A-Z]{2,8}(_[A-Z]{2,8})?_[0-9]{1,4}\]", fullmatch=True), max_size=6),
    st.text("ab .,-", max_size=6),
)
def test_every_pseudonym_is_exactly_one_term(tokens: list[str], between: str) -> None:
    found = terms(between.join(["", *tokens, ""]))
    assert [term for term in found if term.startswith("[")] == tokens


@given(st.text(max_size=60), st.text(max_size=60))
def test_two_paragraphs_give_the_terms_of_both(one: str, other: str) -> None:
    assert sorted(terms(f"{one}\n;\n{other}")) == sorted(terms(one) + terms(other))
