"""What belongs to an address goes with it; offices and what they are of are one."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.privacy.finding import Finding
from desktop_rag.privacy.whole import whole


def joined(text: str, *values: tuple[str, str]) -> list[tuple[str, str]]:
    """What `whole` makes of these values, each with its label, in their order in the text."""
    findings, at = [], 0
    for value, label in values:
        at = text.index(value, at)
        findings.append(Finding(at, at + len(value), label, 0.8))
        at += len(value)
    return [(text[f.start : f.end], f.label) for f in whole(text, findings)]


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("12 Long Lane, Apt. 4B, Springfield, IL 62704 is empty", ["Springfield"]),
        ("12 Long Lane\nLondon\nSW1A 2AA\nis empty", ["London"]),
        ("12 Long Lane, 75001 Paris is empty", ["Paris"]),
        ("12 Long Lane, Suite 300\nPO Box 12 is empty", []),
        ("12 Long Lane/4, 00-950 Warszawa is empty", ["Warszawa"]),
    ],
)
def test_flat_postcode_and_town_go_with_the_street(text: str, rest: list[str]) -> None:
    street = "12 Long Lane/4" if "/4" in text else "12 Long Lane"
    (found,) = joined(text, (street, "STREET_ADDRESS"), *((town, "LOCATION") for town in rest))
    assert text[len(found[0]) :].strip() == "is empty"
    assert found[1] == "STREET_ADDRESS"


@pytest.mark.parametrize(
    "text",
    [
        "12 Long Lane is in Paris",
        "12 Long Lane. Paris is far",
        "12 Long Lane, 300 people came to Paris",
        "12 Long Lane and a house in Paris",
    ],
)
def test_what_is_said_about_an_address_does_not(text: str) -> None:
    assert ("12 Long Lane", "STREET_ADDRESS") in joined(text, ("12 Long Lane", "STREET_ADDRESS"), ("Paris", "LOCATION"))


def test_an_office_is_one_with_what_it_is_of() -> None:
    text = "The Supreme Court of Norway and the Home Office met in Oslo."
    values = [("Supreme Court", "ORGANIZATION"), ("Norway", "LOCATION"), ("Home Office", "ORGANIZATION")]
    found = joined(text, *values, ("Oslo", "LOCATION"))
    assert [value for value, _ in found] == ["Supreme Court of Norway", "Home Office", "Oslo"]


@given(
    st.text(alphabet="ab12 ,.\nZ#é\U0001f600", max_size=60),
    st.lists(
        st.tuples(st.integers(0, 59), st.integers(1, 9), st.sampled_from(["STREET_ADDRESS", "LOCATION", "PERSON"]))
    ),
)
def test_nothing_is_lost_and_nothing_overlaps(text: str, places: list[tuple[int, int, str]]) -> None:
    findings, end = [], 0
    for start, length, label in sorted(places):
        if start >= end and start + length <= len(text):
            findings.append(Finding(start, start + length, label, 0.8))
            end = start + length
    found = whole(text, findings)
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert all(0 <= f.start < f.end <= len(text) for f in found)
    for finding in findings:
        assert any(f.start <= finding.start and finding.end <= f.end for f in found)


def test_given_name_and_surname_side_by_side_are_one_person() -> None:
    text = "Desmond Okonkwo met Anna, Bruno and Saoirse Lind."
    found = joined(
        text,
        ("Desmond", "PERSON"),
        ("Okonkwo", "PERSON"),
        ("Anna", "PERSON"),
        ("Bruno", "PERSON"),
        ("Saoirse", "POSSIBLE_NAME"),
        ("Lind", "PERSON"),
    )
    assert [value for value, _ in found] == ["Desmond Okonkwo", "Anna", "Bruno", "Saoirse Lind"]
    assert {label for _, label in found} == {"PERSON"}
