"""From text to terms: tokens stay whole, codes keep their whole, scripts without spaces are cut in pairs."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.retrieval.analyse import question_terms, terms


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


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("de", "Die Häuser der Mieter", ["haus", "miet"]),
        ("fr", "L'eau n'était pas chaude", ["eau", "chaud"]),
        ("es", "las facturas de la casa", ["factur", "cas"]),
        ("ru", "в старых домах", ["стар", "дом"]),
        ("hi", "पुस्तकें १२ में", ["पुस्तक", "12"]),
        ("ar", "الكِتَابُ ١٢", ["كتاب", "12"]),
        ("th", "ภาษาไทย ๑๒", ["ภา", "าษ", "ษา", "าไ", "ไท", "ทย", "12"]),
        ("bo", "བོད", ["བོད"]),
        ("xx", "The pumps", ["the", "pumps"]),
        (None, "The pumps", ["pump"]),
    ],
)
def test_words_are_stemmed_in_their_language(language: str | None, text: str, expected: list[str]) -> None:
    assert terms(text, language) == expected


@pytest.mark.parametrize("word", ["हिन्दी", "வணக்கம்", "שָׁלוֹם", "ಕನ್ನಡ", "café"])
def test_a_mark_never_cuts_a_word(word: str) -> None:
    assert len(terms(word, "xx")) == 1
    assert len(terms(unicodedata.normalize("NFD", word), "xx")) == 1


def test_a_question_to_several_languages_asks_in_each() -> None:
    assert question_terms("Häuser, K-1", ["en", "de"]) == {
        frozenset({"häuser", "haus"}): 1, frozenset({"k"}): 1, frozenset({"1"}): 1, frozenset({"k-1"}): 1,
    }  # fmt: skip
    assert question_terms("pump pump", ["en", "de"]) == {frozenset({"pump"}): 2}
    assert question_terms("the Häuser", ["en", "de", "cy"]).keys() == {frozenset({"häuser", "haus"})}


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
