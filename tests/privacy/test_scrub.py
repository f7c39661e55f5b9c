"""Replacing: what is kept can be found again both ways, tokens stand where they say, look-alikes are disarmed."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.privacy.classes import TOKEN, readable, replaced_by_default
from desktop_rag.privacy.scrub import Replacement, Scrubbed, replacement_token, scrub

TEXTS = st.lists(
    st.sampled_from(
        ["[PERSON_3]", "[EMAIL_ADDRESS]", "[", "]", "PERSON_", "3", " ", "Jean Rivera", "é", "\U0001f600", "\n"]
    )
    | st.characters(codec="utf-8"),
    max_size=30,
).map("".join)
TOKENS = st.sampled_from(["[PERSON_1]", "[PERSON_27]", "[IBAN_CODE_2]", "[LOCATION]", ""])


@st.composite
def scrubbed_texts(draw: st.DrawFn) -> tuple[str, list[Replacement], Scrubbed]:
    text = draw(TEXTS)
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    spans = [span for span in pairwise(cuts) if draw(st.booleans())]
    replacements = [Replacement(start, end, draw(TOKENS)) for start, end in spans]
    return text, replacements, scrub(text, replacements)


def kept(text: str, result: Scrubbed) -> list[int]:
    gone = {at for r in result.replacements for at in range(r.start, r.end)}
    return [at for at in range(len(text)) if at not in gone]


@given(scrubbed_texts())
def test_every_kept_character_is_found_again_in_both_directions(case: tuple[str, list[Replacement], Scrubbed]) -> None:
    text, _, result = case
    for at in kept(text, result):
        assert result.text[result.to_scrubbed(at)] == text[at]
        assert result.to_original(result.to_scrubbed(at)) == at


@given(scrubbed_texts())
def test_nothing_but_kept_characters_and_tokens_is_left(case: tuple[str, list[Replacement], Scrubbed]) -> None:
    text, _, result = case
    tokens = {at for start, end in result.places for at in range(start, end)}
    rest = [character for at, character in enumerate(result.text) if at not in tokens]
    assert rest == [text[at] for at in kept(text, result)]


@given(scrubbed_texts())
def test_offsets_never_run_backwards_and_stay_inside(case: tuple[str, list[Replacement], Scrubbed]) -> None:
    text, _, result = case
    there = [result.to_scrubbed(at) for at in range(len(text) + 1)]
    back = [result.to_original(at) for at in range(len(result.text) + 1)]
    assert there == sorted(there)
    assert back == sorted(back)
    assert (there[-1], back[-1]) == (len(result.text), len(text))


@given(scrubbed_texts())
def test_each_place_holds_its_token_and_the_inside_of_a_value_leads_to_its_start(
    case: tuple[str, list[Replacement], Scrubbed],
) -> None:
    _, asked, result = case
    assert [r for r in result.replacements if r in asked] == asked
    for replacement, (start, end) in zip(result.replacements, result.places, strict=True):
        assert result.text[start:end] == replacement.token
        assert {result.to_scrubbed(at) for at in range(replacement.start, replacement.end)} == {start}
        assert {result.to_original(at) for at in range(start, end)} <= {replacement.start}


@given(scrubbed_texts())
def test_no_token_in_the_result_was_typed_by_the_author(case: tuple[str, list[Replacement], Scrubbed]) -> None:
    _, _, result = case
    ours = {place for place, r in zip(result.places, result.replacements, strict=True) if TOKEN.fullmatch(r.token)}
    assert {match.span() for match in TOKEN.finditer(result.text)} <= ours


@given(scrubbed_texts())
def test_a_range_leads_back_to_what_it_covers_and_no_removed_value_at_its_edges(
    case: tuple[str, list[Replacement], Scrubbed],
) -> None:
    text, _, result = case
    for at in kept(text, result):
        assert result.to_original(result.to_scrubbed(at) + 1, end=True) == at + 1
    for (start, end), replacement in zip(result.places, result.replacements, strict=True):
        if start < end:
            assert {result.to_original(at, end=True) for at in range(start + 1, end + 1)} == {replacement.end}


def test_a_range_that_ends_where_a_value_was_removed_ends_before_it() -> None:
    result = scrub("Signed by Jean Rivera", [Replacement(10, 21, "")])
    assert (result.text, result.to_original(10, end=True)) == ("Signed by ", 10)


def test_a_look_alike_becomes_harmless_and_stays_readable() -> None:
    result = scrub("Ask [PERSON_3] or Jean.", [Replacement(18, 22, "[PERSON_3]")])
    assert result.text == "Ask (PERSON_3) or [PERSON_3]."


def test_removing_a_value_cannot_put_a_token_together() -> None:
    result = scrub("Ask [PERSONJean_3] now", [Replacement(11, 15, "")])
    assert not TOKEN.search(result.text)
    assert "Jean" not in result.text


@pytest.mark.parametrize(("policy", "token"), [("pseudonymise", "[PERSON_3]"), ("mask", "[PERSON]"), ("remove", "")])
def test_the_policy_decides_what_stands_for_a_value(policy: str, token: str) -> None:
    assert replacement_token(policy, "PERSON", "[PERSON_3]") == token  # type: ignore[arg-type]


def test_direct_identifiers_and_unknown_classes_are_replaced_without_asking() -> None:
    assert replaced_by_default("PERSON")
    assert replaced_by_default("SOMETHING_NEW")
    assert not replaced_by_default("DATE_TIME")
    assert (readable("IBAN_CODE"), readable("SOMETHING_NEW")) == ("Bank account", "Something new")
