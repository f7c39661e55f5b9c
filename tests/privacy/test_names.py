"""What speaks for a person: a given name in front, or an e-mail address made of the words."""

from __future__ import annotations

import pytest

from desktop_rag.privacy.names import in_mailbox, is_misread_person, mailboxes, starts_with_given_name

KNOWN = mailboxes("Write to maria.rivera@acme.example, quoba_zintl@acme.example or solmvex@acme.example.")


@pytest.mark.parametrize("value", ["Maria Rivera", "Rivera", "RIVERA Maria", "Quoba Zintl", "Solm Vex", "María Rivera"])
def test_a_mailbox_holds_the_words_of_its_owner(value: str) -> None:
    assert in_mailbox(value, KNOWN)


@pytest.mark.parametrize("value", ["", "Jean Rivera", "Acme", "Example", "Solm", "Maria Zintl"])
def test_other_words_are_in_no_mailbox(value: str) -> None:
    assert not in_mailbox(value, KNOWN)


@pytest.mark.parametrize(
    ("value", "person"),
    [
        ("Maria Rivera", True),
        ("Mary J. Marsh", True),
        ("Quoba Zintl", True),
        ("IBM", False),
        ("Maria Rivera Ltd", False),
        ("Maria", False),
        ("Martin 24", False),
        ("Martin and sons", False),
        ("Martin One Two Three", False),
        ("Zintl", False),
    ],
)
def test_an_organisation_is_a_person_only_with_evidence(value: str, person: bool) -> None:
    assert is_misread_person(value, KNOWN) is person


def test_given_names_are_compared_without_case_and_accents() -> None:
    assert starts_with_given_name("JÜRGEN Quill")
    assert starts_with_given_name("José Quill")
    assert not starts_with_given_name("Jürgen")
    assert not starts_with_given_name("Licensed Marks")
