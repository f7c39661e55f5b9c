"""A question on its way in: known people become pseudonyms, unknown ones are masked where it is stored."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from desktop_rag.privacy.finding import Detector
from desktop_rag.privacy.findings import MemoryRows
from desktop_rag.privacy.question import map_question
from desktop_rag.privacy.vault import Vault

Words = Callable[..., Detector]


@pytest.fixture
def vault() -> Vault:
    made = Vault(MemoryRows())
    for name in ("Jean Rivera", "Anna Stark"):
        made.resolve("PERSON", name)
    made.resolve("EMAIL_ADDRESS", "jean@rivera.example")
    return made


@pytest.mark.parametrize(
    ("question", "mapped"),
    [
        ("What did Jean Rivera sign?", "What did [PERSON_1] sign?"),
        ("what did rivera say", "what did [PERSON_1] say"),
        ("Where is RIVERA'S office?", "Where is [PERSON_1]'S office?"),
        ("Who wrote to jean@rivera.example?", "Who wrote to [EMAIL_ADDRESS_3]?"),
        ("Is there a stark contrast?", "Is there a [PERSON_2] contrast?"),
    ],
)
def test_known_values_become_their_pseudonyms(vault: Vault, word_detector: Words, question: str, mapped: str) -> None:
    result = map_question(question, [vault], word_detector({}))
    assert (result.search_text, result.stored_text, result.unknown) == (mapped, mapped, ())


@pytest.mark.parametrize("typed", ["+442079460991", "442079460991", "+44 2079 460 991", "+44 20 7946 0991"])
def test_a_number_is_known_however_it_is_grouped(word_detector: Words, typed: str) -> None:
    vault = Vault(MemoryRows())
    vault.resolve("PHONE_NUMBER", "+44 20 7946 0991")
    result = map_question(f"Who has {typed} now? 207946", [vault], word_detector({}))
    assert result.search_text.replace("+[", "[") == "Who has [PHONE_NUMBER_1] now? 207946"


def test_an_unknown_name_is_searched_as_it_is_stored_masked_and_enters_no_vault(
    vault: Vault, word_detector: Words
) -> None:
    before = dict(vault.by_pseudonym())
    result = map_question(
        "Did Rivera meet Otto Falk?", [vault], word_detector({"Otto Falk": "PERSON", "Rivera": "PERSON"})
    )
    assert result.search_text == "Did [PERSON_1] meet Otto Falk?"
    assert result.stored_text == "Did [PERSON_1] meet [PERSON]?"
    assert result.unknown == ("Otto Falk",)
    assert vault.by_pseudonym() == before


def test_what_is_kept_in_documents_is_kept_in_questions(vault: Vault, word_detector: Words) -> None:
    result = map_question(
        "What happened in Paris in 1999?", [vault], word_detector({"Paris": "LOCATION", "1999": "DATE_TIME"})
    )
    assert result.stored_text == "What happened in Paris in 1999?"
    assert result.unknown == ()


def test_a_shared_name_asks_for_all_who_have_it_also_across_collections(vault: Vault, word_detector: Words) -> None:
    class Later(MemoryRows):
        def add_entry(self, label: str) -> tuple[int, int]:
            number, _ = super().add_entry(label)
            return number + 100, number + 100

    other = Vault(Later())
    other.resolve("PERSON", "Maria Rivera")
    result = map_question("Who is Rivera?", [vault, other], word_detector({}))
    assert result.search_text == "Who is [PERSON_1] or [PERSON_101]?"
    # The longer match of one vault beats the shorter one of the other.
    assert map_question("Who is Maria Rivera?", [vault, other], word_detector({})).search_text == "Who is [PERSON_101]?"


def test_a_pseudonym_typed_by_hand_is_disarmed(vault: Vault, word_detector: Words) -> None:
    assert map_question("Who is [PERSON_1]?", [vault], word_detector({})).search_text == "Who is (PERSON_1)?"


def test_without_a_detector_nothing_is_masked(vault: Vault) -> None:
    result = map_question("Did Rivera meet Otto Falk?", [vault], None)
    assert result.stored_text == "Did [PERSON_1] meet Otto Falk?"
