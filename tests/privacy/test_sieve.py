"""The sieve: quick, and never shut where the vault or a rule would find something."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.privacy.findings import MemoryRows
from desktop_rag.privacy.rules import ALWAYS, Rule, Rules
from desktop_rag.privacy.sieve import Sieve
from desktop_rag.privacy.vault import Vault


def sieve(*values: tuple[str, str], terms: tuple[str, ...] = ()) -> Sieve:
    made = Sieve()
    list(made.take(values, terms))
    return made


@pytest.mark.parametrize(
    ("label", "value", "text"),
    [
        ("PERSON", "Maria Kowalczyk", "12 | MARIA\n  KOWALCZYK | 950"),
        ("PERSON", "Maria Kowalczyk", "Ask Kowalczyk."),
        ("PERSON", "Mr José Peña", "jose\u0301 pen\u0303a"),
        ("PERSON", "Li Wu", "Li Wu"),
        ("PHONE_NUMBER", "0176 5550 1234", "call 0176/55501234 now"),
        ("STREET_ADDRESS", "Flat 2, 14 Harbour Road", "the flat in harbour road"),
        ("EMAIL_ADDRESS", "m.kowalczyk@example.org", "M.Kowalczyk@Example.org"),
        ("PERSON", "Straßer Ünal", "STRASSER"),
    ],
)
def test_what_the_vault_finds_passes(label: str, value: str, text: str) -> None:
    vault = Vault(MemoryRows())
    vault.resolve(label, value)
    assert vault.find(text, written_as_name=True)
    assert sieve((label, value)).may_hold(text)


def test_what_has_nothing_of_it_does_not_pass() -> None:
    made = sieve(("PERSON", "Maria Kowalczyk"), ("PHONE_NUMBER", "0176 5550 1234"), terms=("Project Falcon",))
    assert made
    assert not made.may_hold("The rent for May is due; Mariana pays 0176 5550.")
    assert not made.may_hold("a kowalczyk and a maria"), "no names as they are written"
    assert not sieve()
    assert not sieve().may_hold("anything")


_WORDS = st.sampled_from(
    "maria MARIA Maria José jose\u0301 Łukasz kowalczyk Straße li 0176 5550 12 34567 東京 の [PERSON_1] שׁ".split()
)
_TEXTS = st.lists(st.tuples(_WORDS, st.sampled_from([" ", "\n", "-", "_", "", ". ", "’"]))).map(
    lambda parts: "".join(word + gap for word, gap in parts)
)
_LABELS = st.sampled_from(["PERSON", "PHONE_NUMBER", "STREET_ADDRESS"])


@given(values=st.lists(st.tuples(_LABELS, _TEXTS), max_size=4), text=_TEXTS)
def test_it_is_never_shut_where_the_vault_finds_something(values: list[tuple[str, str]], text: str) -> None:
    vault = Vault(MemoryRows())
    for label, value in values:
        vault.resolve(label, value)
    if vault.find(text, written_as_name=True):
        assert sieve(*values).may_hold(text)


@given(terms=st.lists(_TEXTS, max_size=3), text=_TEXTS)
def test_it_is_never_shut_where_a_rule_finds_something(terms: list[str], text: str) -> None:
    if Rules(Rule(ALWAYS, term) for term in terms).always(text):
        assert sieve(terms=tuple(terms)).may_hold(text)
