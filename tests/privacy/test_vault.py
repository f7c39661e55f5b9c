"""Who is behind a pseudonym: spellings of one value share it, namesakes keep their own, a question finds them."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.privacy.findings import MemoryRows
from desktop_rag.privacy.fold import fold
from desktop_rag.privacy.vault import Match, Vault, VaultRows
from desktop_rag.store.collections import Collections
from desktop_rag.store.connection import Connection, open_database
from desktop_rag.store.key import Key
from desktop_rag.store.vault import StoredVault, delete_entries, open_vault

NAMES = st.lists(st.text("abcdefgilmnorstuvzéüçñ", min_size=2, max_size=8), min_size=2, max_size=3).map(
    lambda parts: " ".join(part.capitalize() for part in parts)
)
LABELS = st.sampled_from(["PERSON", "EMAIL_ADDRESS", "IBAN_CODE"])
SPELLINGS = (
    str.upper,
    str.lower,
    lambda value: unicodedata.normalize("NFD", value),
    lambda value: unicodedata.normalize("NFD", value).encode("ascii", "ignore").decode(),
    lambda value: value.replace(" ", "  "),
    lambda value: value.replace(" ", "\n"),
    lambda value: value.replace(" ", "\u00a0"),
)


def people(*values: str) -> Vault:
    vault = Vault(MemoryRows())
    for value in values:
        vault.resolve("PERSON", value)
    return vault


def found(vault: Vault, text: str, *, document: bool = False) -> list[tuple[str, list[str]]]:
    matches = vault.find(text, written_as_name=document)
    return [(text[m.start : m.end], [entry.value for entry in m.entries]) for m in matches]


class VaultRowsContract:
    """What every keeper of vault rows must do."""

    @pytest.fixture
    def rows(self) -> VaultRows:
        raise NotImplementedError

    def test_entries_have_ids_and_numbers_of_their_own(self, rows: VaultRows) -> None:
        made = [rows.add_entry(label) for label in ("PERSON", "PERSON", "IBAN_CODE", "PERSON")]
        assert len({identity for identity, _ in made}) == 4
        persons = [number for (_, number), label in zip(made, "ppip", strict=True) if label == "p"]
        assert len(set(persons)) == 3

    def test_the_same_spelling_may_be_added_twice(self, rows: VaultRows) -> None:
        identity, _ = rows.add_entry("PERSON")
        rows.add_alias(identity, "jean rivera", "Jean Rivera")
        rows.add_alias(identity, "jean rivera", "JEAN RIVERA")


class TestMemoryRows(VaultRowsContract):
    @pytest.fixture
    def rows(self) -> VaultRows:
        return MemoryRows()


class TestStoredVault(VaultRowsContract):
    @pytest.fixture
    def database(self, tmp_path: Path) -> Iterator[Connection]:
        connection = open_database(tmp_path / "library.db", Key(bytes(32), "file"))
        yield connection
        connection.close()

    @pytest.fixture
    def rows(self, database: Connection) -> VaultRows:
        return StoredVault(database, Collections(database).create("One", "pseudonymise", True)["id"])

    def test_numbers_are_unique_over_collections(self, database: Connection) -> None:
        held = Collections(database)
        vaults = [open_vault(database, held.create(name, "pseudonymise", True)["id"]) for name in ("One", "Two")]
        pseudonyms = [
            vault.resolve("PERSON", f"{first} {last}").pseudonym
            for first in ("Ada", "Bo")
            for last in ("Lund", "Marsh")
            for vault in vaults
        ]
        assert len(set(pseudonyms)) == 8

    def test_what_was_stored_is_loaded_again(self, database: Connection) -> None:
        collection = Collections(database).create("One", "pseudonymise", True)["id"]
        first = open_vault(database, collection)
        entries = [first.resolve("PERSON", "Jean Rivera"), first.resolve("PERSON", "Mr Rivera")]
        entries.append(first.resolve("EMAIL_ADDRESS", "jean@rivera.example"))
        second = open_vault(database, collection)
        assert second.by_pseudonym() == {entry.pseudonym: entry for entry in entries}
        assert second.resolve("PERSON", "JEAN RIVERA").pseudonym == entries[0].pseudonym

    def test_a_deleted_entry_takes_its_spellings_along_and_its_number_is_free_only_at_the_end(
        self, database: Connection
    ) -> None:
        collection = Collections(database).create("One", "pseudonymise", True)["id"]
        vault = open_vault(database, collection)
        first, second = vault.resolve("PERSON", "Ada Lund"), vault.resolve("PERSON", "Bo Marsh")
        delete_entries(database, [first.id])
        assert database.execute("SELECT value FROM aliases").fetchall()[0][0] == "Bo Marsh"
        again = open_vault(database, collection).resolve("PERSON", "Carl Oak")
        assert again.number not in (first.number, second.number)


@given(LABELS, NAMES, st.sampled_from(SPELLINGS))
def test_case_accents_and_spacing_do_not_matter(label: str, value: str, respelt: object) -> None:
    spelling = str(respelt(value))  # type: ignore[operator]
    vault = Vault(MemoryRows())
    assert vault.resolve(label, value) is vault.resolve(label, spelling)


@given(st.lists(st.tuples(LABELS, NAMES), max_size=12))
def test_every_pseudonym_leads_back_to_its_value(values: list[tuple[str, str]]) -> None:
    vault = Vault(MemoryRows())
    given_tokens = [vault.resolve(label, value).pseudonym for label, value in values]
    behind = vault.by_pseudonym()
    for (label, value), token in zip(values, given_tokens, strict=True):
        entry = behind[token]
        assert (entry.label, entry.aliases.keys() >= {fold(label, value)}) == (label, True)


def test_titles_initials_and_bare_names_join_in_any_order() -> None:
    spellings = ("Jean Rivera", "Mr Rivera", "J. Rivera", "Rivera", "Dr. Jean Rivera", "Rivera's", "JEAN RIVERA")
    for order in permutations(spellings[:5]):
        vault = people(*order, *spellings[5:])
        assert len(vault.entries) == 1, order
        assert "Jean Rivera" in next(iter(vault.entries.values())).value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Jean Rivera", "Maria Rivera"),
        ("Jean Rivera", "Jean Marsh"),
        ("Jean Luc Rivera", "Jean Marc Rivera"),
        ("Ann Lee", "Anna Lee"),
    ],
)
def test_two_people_stay_two(one: str, other: str) -> None:
    assert len(people(one, other).entries) == 2


@pytest.mark.parametrize("order", list(itertools.permutations(["Jean Rivera", "Maria Rivera", "José Rivera"])))
def test_each_document_prefers_its_own_namesake(order: tuple[str, ...]) -> None:
    vault = people(*order)
    # One of them is already known by the bare name.
    first = vault.resolve("PERSON", order[0])
    assert vault.resolve("PERSON", "Rivera", [first.id]) is first
    for name in order:
        own = vault.resolve("PERSON", name)
        assert vault.resolve("PERSON", "Mr Rivera", [own.id]) is own
    j_first, j_second = vault.resolve("PERSON", "Jean Rivera"), vault.resolve("PERSON", "José Rivera")
    assert vault.resolve("PERSON", "J. Rivera", [j_first.id, j_second.id]) is j_second
    assert vault.resolve("PERSON", "J. Rivera", [j_second.id, j_first.id]) is j_first


def test_a_bare_name_that_fits_two_people_is_neither_and_stays_itself() -> None:
    vault = people("Jean Rivera", "Maria Rivera")
    unclear = vault.resolve("PERSON", "Rivera")
    assert unclear.value == "Rivera"
    assert vault.resolve("PERSON", "Ms Rivera") is unclear


def test_other_classes_are_the_same_whatever_their_punctuation() -> None:
    vault = Vault(MemoryRows())
    number = vault.resolve("IBAN_CODE", "GB29 NWBK 6016 1331 9268 19")
    assert vault.resolve("IBAN_CODE", "gb29nwbk60161331926819") is number
    assert vault.resolve("PHONE_NUMBER", "GB29NWBK60161331926819") is not number


class TestFind:
    def test_the_longest_name_wins(self) -> None:
        vault = people("Jean Rivera", "Jean Rivera Lopez")
        assert found(vault, "Did Jean Rivera Lopez call?") == [("Jean Rivera Lopez", ["Jean Rivera Lopez"])]

    @pytest.mark.parametrize("text", ["what did rivera say", "what did RIVERA say?", "What did Rivera's lawyer say?"])
    def test_a_question_finds_a_part_of_a_name_in_any_case(self, text: str) -> None:
        ((written, names),) = found(people("Jean Rivera"), text)
        assert (written.casefold(), names) == ("rivera", ["Jean Rivera"])

    def test_accents_do_not_matter(self) -> None:
        assert found(people("José Müller"), "where does jose muller live") == [("jose muller", ["José Müller"])]

    def test_a_shared_name_means_everybody_who_has_it(self) -> None:
        ((_, names),) = found(people("Jean Rivera", "Maria Rivera"), "who is rivera")
        assert names == ["Jean Rivera", "Maria Rivera"]

    def test_everyday_words_need_their_capital(self) -> None:
        vault = people("Theresa May", "Will Hunter")
        assert found(vault, "what may the tenant do, and will it rain") == []
        assert found(vault, "Will the hunter come?") == []
        assert found(vault, "What did Hunter do?") == [("Hunter", ["Will Hunter"])]

    @pytest.mark.parametrize("text", ["What happened in May 2025?", "What happened on 3 May?", "due 15 May 2025"])
    def test_a_month_beside_a_number_is_no_person(self, text: str) -> None:
        assert found(people("Theresa May"), text) == []

    def test_in_a_document_a_lone_part_must_be_written_as_a_name(self) -> None:
        vault = people("Anna Stark")
        assert found(vault, "a stark contrast", document=True) == []
        assert found(vault, "Then Stark left.", document=True) == [("Stark", ["Anna Stark"])]

    def test_numbers_are_found_with_other_spacing(self) -> None:
        vault = Vault(MemoryRows())
        vault.resolve("EMAIL_ADDRESS", "marta.lind@brack.example")
        assert [m.entries[0].label for m in vault.find("mail MARTA.LIND@brack.example?", written_as_name=False)] == [
            "EMAIL_ADDRESS"
        ]

    @given(st.lists(NAMES, min_size=1, max_size=4), st.text(" abRivera.,'", max_size=20))
    def test_matches_are_in_order_disjoint_and_inside(self, names: list[str], between: str) -> None:
        vault = people(*names)
        text = between.join(["", *names, ""])
        matches: list[Match] = vault.find(text, written_as_name=False)
        ends = [0, *(m.end for m in matches)]
        assert all(m.start >= end and m.end > m.start for m, end in zip(matches, ends, strict=False))
        assert all(m.end <= len(text) for m in matches)

    @given(NAMES)
    def test_every_full_name_is_found_where_it_stands(self, name: str) -> None:
        assert (f"x {name}.", [name]) in [(f"x {name}.", v) for _, v in found(people(name), f"x {name}.")]


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("Flat 4, 18 Harbour Road", "What is the rent of the flat at Harbour Road?"),
        ("Hauptstraße 12, 10115 Berlin", "Wem gehört das Haus in der Hauptstraße?"),
        ("Calle de la Luna 7, 28004 Madrid", "Quién vive en la calle de la luna?"),
    ],
)
def test_an_address_is_known_by_its_street(address: str, asked: str) -> None:
    vault = Vault(MemoryRows())
    entry = vault.resolve("STREET_ADDRESS", address)
    assert [match.entries for match in vault.find(asked, written_as_name=False)] == [(entry,)]


def test_a_town_alone_is_not_the_address() -> None:
    vault = Vault(MemoryRows())
    vault.resolve("STREET_ADDRESS", "12 Mill Lane, Springfield, IL 62704")
    assert vault.find("How many people live in Springfield?", written_as_name=False) == []
