"""Column names are cleaned by what is known of their document, then by the detector."""

from __future__ import annotations

import pytest

from desktop_rag.privacy.classes import Treatment
from desktop_rag.privacy.finding import Finding
from desktop_rag.privacy.findings import MemoryRows
from desktop_rag.privacy.headers import Headers
from desktop_rag.privacy.rules import Rules
from desktop_rag.privacy.scrub import Policy
from desktop_rag.privacy.vault import Vault


def person(header: str, value: str, label: str = "PERSON") -> Finding:
    return Finding(header.index(value), header.index(value) + len(value), label, 0.85)


@pytest.mark.parametrize(("policy", "wanted"), [("mask", "[PERSON] | Sum"), ("remove", " | Sum")])
@pytest.mark.parametrize("header", ["Jean Rivera | Sum", "Rivera | Sum", "RIVERA | Sum"])
def test_a_value_of_the_document_and_its_parts_are_replaced(policy: Policy, wanted: str, header: str) -> None:
    headers = Headers(policy)
    headers.replaced("PERSON", "Jean Rivera", "[PERSON]" if policy == "mask" else "")
    assert headers.cleaned(header, [], None, {}) == wanted


def test_words_that_only_hold_a_value_stay() -> None:
    headers = Headers("mask")
    headers.replaced("PERSON", "Tas", "[PERSON]")
    assert headers.cleaned("Task | Tas", [], None, {}) == "Task | [PERSON]"


def test_a_known_part_of_a_longer_finding_takes_the_whole() -> None:
    vault = Vault(MemoryRows())
    vault.resolve("PERSON", "Jean Rivera")
    header = "Sum | Anna-Maria Rivera | Bo Lund"
    findings = [person(header, "Anna-Maria Rivera"), person(header, "Bo Lund")]
    assert Headers("pseudonymise").cleaned(header, findings, vault, {}) == "Sum | [PERSON_1] | [PERSON]"


def test_of_two_namesakes_the_document_s_own_is_meant() -> None:
    vault = Vault(MemoryRows())
    first, second = (vault.resolve("PERSON", name) for name in ("Jean Rivera", "Maria Rivera"))
    headers = Headers("pseudonymise")
    assert headers.cleaned("Sum | Rivera", [], vault, {second.id: None}) == "Sum | [PERSON_2]"
    assert headers.cleaned("Sum | Rivera", [], vault, {second.id: None, first.id: None}) == "Sum | [PERSON_1]"


def test_what_stays_in_the_document_stays_in_its_headers() -> None:
    header = "Licensed Marks | Bo Lund | Paris | Jean"
    headers = Headers("mask")
    headers.kept("POSSIBLE_NAME", "Licensed Marks")
    headers.kept("PERSON", "Bo Lund")
    headers.kept("LOCATION", "Jean")
    findings = [person(header, "Licensed Marks"), person(header, "Bo Lund"), person(header, "Jean")]
    found = Rules().apply(header, sorted([*findings, person(header, "Paris", "LOCATION")], key=lambda f: f.start))
    cleaned = headers.cleaned(header, found, None, {})
    assert cleaned == "Licensed Marks | Bo Lund | Paris | [PERSON]"


def test_headers_are_cleaned_as_the_classes_are_treated() -> None:
    header = "Bo Lund | Paris | Oslo"
    rules = Rules((), {"PERSON": Treatment(False), "LOCATION": Treatment(True)})
    vault = Vault(MemoryRows())
    vault.resolve("PERSON", "Bo Lund")
    headers = Headers("pseudonymise", rules)
    headers.kept("LOCATION", "Oslo")
    places = [person(header, name, "LOCATION") for name in ("Paris", "Oslo")]
    found = rules.apply(header, [person(header, "Bo Lund"), *places])
    cleaned = headers.cleaned(header, found, vault, {})
    assert cleaned == "Bo Lund | [LOCATION] | Oslo", "a reviewer kept Oslo"
