"""Believable stand-ins: word by word, every one leads back, none is anybody's, and the key decides which."""

from __future__ import annotations

import re
import unicodedata
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop_rag.privacy.classes import TOKEN
from desktop_rag.privacy.findings import MemoryRows
from desktop_rag.privacy.fold import fold, fold_word, words
from desktop_rag.privacy.patterns.checks import iban, luhn
from desktop_rag.privacy.scrub import Replacement, put_back, scrub
from desktop_rag.privacy.substitute_names import KEPT
from desktop_rag.privacy.substitutes import Substitutes, Wording
from desktop_rag.privacy.vault import Entry, Vault

KEY = b"k" * 32
GIVEN = ["Jean", "Maria", "José", "Anne-Marie", "Łukasz", "Zoë", "Grzegorz", "Priya", "Bartholomäus", "J.", "K. L."]
LAST = ["Rivera", "O'Brien", "van Gogh", "Kowalska", "Müller", "McDonald", "Lopez Garcia", "Smith-Jones", "Żak", "Ng"]
NAMES = st.builds(lambda given, last: f"{given} {last}", st.sampled_from(GIVEN), st.sampled_from(LAST)) | st.builds(
    lambda given, last: f"{given.capitalize()} {last.capitalize()}",
    st.text("abcdefghilmnoprstuvzéüçñ", min_size=2, max_size=8),
    st.text("abcdefghilmnoprstuvzéüçñ", min_size=3, max_size=9),
)
VALUES = st.one_of(
    st.tuples(st.just("PERSON"), NAMES),
    st.tuples(st.just("PERSON"), NAMES.map(str.upper)),
    st.tuples(st.just("PERSON"), NAMES.map(lambda name: unicodedata.normalize("NFD", name))),
    st.tuples(st.just("PHONE_NUMBER"), st.from_regex(r"\+44 [2-9]\d \d{4} \d{4}", fullmatch=True)),
    st.tuples(st.just("EMAIL_ADDRESS"), st.from_regex(r"[a-z]{3,8}\.[a-z]{3,8}@[a-z]{4,9}\.com", fullmatch=True)),
    st.tuples(st.just("RECORD_NUMBER"), st.from_regex(r"[A-Z]{3}-\d{4}/\d{3}", fullmatch=True)),
)
# What no name or stand-in is made of, emoji and characters that combine among it.
BETWEEN = st.text(" .,;:()\n\U0001f600\u0301%", max_size=6).map(lambda gap: f" {gap} ")


class Rows:
    """Substitutes kept in memory; `documents`: what is indexed."""

    def __init__(self, documents: str = "", key: bytes = KEY) -> None:
        self._key = key
        self._documents = {word for word, _, _ in words(documents)}
        self.kept: list[tuple[int, str, str]] = []

    def key(self) -> bytes:
        return self._key

    def add_substitute(self, entry: int, folded: str, substitute: str) -> None:
        self.kept.append((entry, folded, substitute))

    def occurs(self, text: str) -> bool:
        return all(word in self._documents for word, _, _ in words(text))


class Held:
    """A vault and what stands for its values."""

    def __init__(self, documents: str = "", key: bytes = KEY) -> None:
        self.vault = Vault(MemoryRows())
        self.rows = Rows(documents, key)
        self.substitutes = Substitutes(self.vault, self.rows)

    def of(self, value: str, label: str = "PERSON") -> str:
        return self.substitutes.of(self.vault.resolve(label, value), value)

    def back(self, text: str) -> str:
        return put_back(text, self.substitutes.real(text))


def one(label: str, value: str) -> str:
    return Held().of(value, label)


@settings(deadline=None)  # the first case loads the lists of names
@given(st.lists(st.tuples(VALUES, BETWEEN), min_size=1, max_size=8))
def test_mapping_in_and_back_gives_the_text_again_and_offsets_are_exact(
    pieces: list[tuple[tuple[str, str], str]],
) -> None:
    held = Held()
    text, spans = "", []
    for (label, value), gap in pieces:
        text += gap
        spans.append((label, len(text), len(text) + len(value)))
        text += value
    text += " "
    # The longest names first, as a document's full names are.
    held.substitutes.wording = Wording.of([text])
    result = scrub(text, [Replacement(s, e, held.of(text[s:e], label)) for label, s, e in spans])
    for replacement, (start, end) in zip(result.replacements, result.places, strict=True):
        assert result.text[start:end] == replacement.token
        assert result.to_original(start) == replacement.start
        assert result.to_original(end, end=True) == replacement.end
    revealed = put_back(result.text, held.substitutes.real(result.text) | _pseudonyms(held))
    assert fold_all(revealed) == fold_all(text)


def _pseudonyms(held: Held) -> dict[str, str]:
    return {entry.pseudonym: next(iter(entry.aliases.values())) for entry in held.vault.entries.values()}


def fold_all(text: str) -> list[str]:
    return [word for word, _, _ in words(text)]


@settings(deadline=None)
@given(st.lists(NAMES, min_size=2, max_size=10))
def test_two_people_never_share_a_stand_in_and_none_is_one_of_them(names: list[str]) -> None:
    held = Held()
    held.substitutes.wording = Wording.of(names)
    stands: dict[int, set[str]] = {}
    for name in names:
        entry = held.vault.resolve("PERSON", name)
        stands.setdefault(entry.id, set()).add(fold("PERSON", held.substitutes.of(entry, name)))
    real = {word for name in names for word in fold_all(name) if len(word) > 1}
    kept = KEPT
    everything = [alias for group in stands.values() for alias in group]
    assert len(everything) == len(set(everything))
    for stand_in in everything:
        assert not {word for word in stand_in.split() if len(word) > 1} & (real - kept)


def test_aliases_are_mapped_part_by_part_whatever_comes_first() -> None:
    held = Held()
    full = held.of("Jean Rivera")
    given_name, last = full.split()
    assert held.of("Rivera") == last
    assert held.of("Mr Rivera") == f"Mr {last}"
    assert held.of("J. Rivera") == f"{given_name[0]}. {last}"
    assert held.of("JEAN RIVERA") == full.upper()
    assert held.of("Jean\nRivera") == full.replace(" ", "\n")
    assert held.of("Maria Rivera").split()[1] == last
    assert held.back(f"{last}'s lawyer wrote to {full} and {given_name[0]}. {last}.") == (
        "Rivera's lawyer wrote to Jean Rivera and J. Rivera."
    )


@given(st.binary(min_size=32, max_size=32), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZŁØ"))
@settings(deadline=None)
def test_initials_lead_back_under_every_key(key: bytes, letter: str) -> None:
    held = Held(key=key)
    held.of(f"{letter}ean Rivera")
    for name in (f"{letter}. Rivera", f"Jean {letter}. Rivera"):
        assert held.back(held.of(name)) == name


def test_the_shape_of_a_name_stays() -> None:
    held = Held()
    assert re.fullmatch(r"\w+-\w+ O'\w+", held.of("Anne-Marie O'Brien"))
    assert re.fullmatch(r"\w+ van \w+", held.of("Vincent van Gogh"))
    assert not held.of("Al Gore").startswith("Al ")
    assert re.fullmatch(r"\w\. \w\. \w{3,}", held.of("J. P. Rivera"))
    assert re.fullmatch(r"\w+, \w+", held.of("Okafor, Tomasz"))
    assert re.fullmatch(r"[А-Яа-яё]+ [А-Яа-яё]+", held.of("Николай Иванов"))
    assert held.of("Anna Kowalska").endswith(("a", "k", "z", "o", "r"))


def test_gender_and_culture_follow_the_name() -> None:
    from desktop_rag.privacy.keyed import Keyed
    from desktop_rag.privacy.substitute_names import _content, candidates, culture_of

    lists = _content()["names"]["en"]
    female = {fold_word(name) for name in lists["female"].split()}
    for name in ("margaret", "maria"):
        first = next(candidates(name, "given", culture_of(f"{name.capitalize()} Miller"), Keyed(KEY)))
        assert fold_word(first) in female
    assert culture_of("Grzegorz Kowalski") == "pl"
    assert culture_of("Hans Schulz") == "de"


def test_the_key_decides_and_nothing_else_does() -> None:
    assert Held().of("Jean Rivera") == Held().of("Jean Rivera")
    assert Held(key=b"x" * 32).of("Jean Rivera") != Held().of("Jean Rivera")


def test_what_is_loaded_again_stands_for_the_same() -> None:
    held = Held()
    names = ["Jean Rivera", "J. Rivera", "Maria Lopez Garcia", "MÜLLER"]
    stands = [held.of(name) for name in names] + [held.of("+44 20 7123 4567", "PHONE_NUMBER")]
    entries = [
        Entry(e.id, e.label, e.number, dict(e.aliases), dict(e.substitutes)) for e in held.vault.entries.values()
    ]
    again = Held()
    again.vault = Vault(MemoryRows(), entries)
    again.substitutes = Substitutes(again.vault, again.rows)
    assert [again.of(name) for name in names] + [again.of("+44 20 7123 4567", "PHONE_NUMBER")] == stands
    assert again.rows.kept == []
    assert again.back(" and ".join(stands[:2])) == "Jean Rivera and J. Rivera"


def test_what_stands_in_a_document_is_no_stand_in() -> None:
    taken = Held().of("Jean Rivera")
    assert not set(fold_all(Held(documents=taken).of("Jean Rivera"))) & set(fold_all(taken))
    held = Held()
    held.substitutes.wording = Wording.of([f"{taken} was there too."])
    assert not set(fold_all(held.of("Jean Rivera"))) & set(fold_all(taken))


def test_a_look_alike_is_found_only_where_nothing_is_replaced() -> None:
    held = Held()
    stand_in = held.of("Jean Rivera")
    last = stand_in.split()[1]
    text = f"{stand_in} met Mr {last} and {last.lower()}s."
    found = held.substitutes.look_alikes(text, [(0, len(stand_in))])
    assert [text[f.start : f.end] for f in found] == [last]


def test_many_people_get_names_that_lead_back() -> None:
    held = Held()
    numbers = count()
    names = [f"Jean {chr(65 + n % 26)}{chr(97 + n // 26)}vera" for n in (next(numbers) for _ in range(600))]
    stands = [held.of(name) for name in names]
    assert len(set(stands)) == len(set(names))
    assert [held.back(stand_in) for stand_in in stands] == names


@pytest.mark.parametrize(
    ("label", "value", "shape"),
    [
        ("PHONE_NUMBER", "(212) 867-5309", r"\([2-9]\d\d\) 555-01\d\d"),
        ("PHONE_NUMBER", "+44 7911 123456", r"\+44 \d{4} \d{6}"),
        ("PHONE_NUMBER", "+48 601 234 567", r"\+48 \d{3} \d{3} \d{3}"),
        ("EMAIL_ADDRESS", "info@northwind.com", r"info@[a-z]+\.example"),
        ("IP_ADDRESS", "10.1.2.3", r"(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+"),
        ("IP_ADDRESS", "fe80::1", r"2001:db8:[0-9a-f:]+"),
        ("RECORD_NUMBER", "MRN-2021-0042", r"[A-Z]{3}-\d{4}-\d{4}"),
        ("STREET_ADDRESS", "12 Baker Street, London NW1 6XE", r"\d\d \w+ Street, \w+ [A-Z]{2}\d \d[A-Z]{2}"),
        ("DATE_TIME", "5 March 2021", r"\d\d? March 20[12]\d"),
        ("URL", "https://www.northwind.com/team", r"https://www\.[a-z]+\.example/[a-z]{4}"),
    ],
)
def test_values_keep_their_shape_and_belong_to_nobody(label: str, value: str, shape: str) -> None:
    stand_in = one(label, value)
    assert re.fullmatch(shape, stand_in)
    assert stand_in != value


def test_the_street_alone_is_the_street_of_the_stand_in() -> None:
    """People ask about "the flat at Harbour Road"; the answer speaks of the stand-in's street."""
    held = Held()
    stand_in = held.of("Flat 4, 18 Harbour Road", "STREET_ADDRESS")
    (match,) = held.vault.find("the flat at Harbour Road", written_as_name=False)
    street = held.substitutes.known(match.entries[0], "Harbour Road")
    assert street is not None
    assert stand_in.endswith(f" {street}")
    assert held.substitutes.real(f"It is in {street}.") == {street: "Harbour Road"}


@pytest.mark.parametrize("value", ["12 baker street, london", "12 BAKER STREET", "ul. marszałkowska 5/12, warszawa"])
def test_no_name_of_a_street_stays_however_it_is_written(value: str) -> None:
    stand_in = fold_word(one("STREET_ADDRESS", value))
    assert not [word for word in ("baker", "london", "marszałkowska", "warszawa") if word in stand_in]


def test_british_mobiles_come_from_the_range_for_stories() -> None:
    figures = re.sub(r"\D", "", one("PHONE_NUMBER", "+44 7911 123456"))
    assert figures.startswith(("447700900", "442079460", "441134960", "441214960", "441614960", "441632960"))


@pytest.mark.parametrize("value", ["GB29 NWBK 6016 1331 9268 19", "DE89370400440532013000", "NO93 8601 1117 947"])
def test_accounts_stay_valid_in_their_country(value: str) -> None:
    stand_in = one("IBAN_CODE", value)
    assert (stand_in[:2], len(stand_in)) == (value[:2], len(value))
    assert iban(stand_in)


@pytest.mark.parametrize("value", ["4111 1111 1111 1111", "378282246310005", "5105-1051-0510-5100"])
def test_cards_stay_valid_with_their_brand(value: str) -> None:
    stand_in = one("CREDIT_CARD", value)
    assert luhn(stand_in)
    assert (stand_in[0], re.sub(r"\d", "9", stand_in)) == (value[0], re.sub(r"\d", "9", value))


def test_a_mailbox_follows_its_owner() -> None:
    held = Held()
    stand_in = held.of("Jean Rivera").lower()
    assert held.of("jean.rivera@northwind.co.uk", "EMAIL_ADDRESS").startswith(stand_in.replace(" ", ".") + "@")
    assert held.of("jrivera@northwind.co.uk", "EMAIL_ADDRESS").startswith(stand_in[0] + stand_in.split()[1] + "@")


def test_a_number_is_turned_back_however_it_is_grouped() -> None:
    held = Held()
    stand_in = held.of("+44 20 7123 4567", "PHONE_NUMBER")
    assert held.of("+442071234567", "PHONE_NUMBER") == stand_in.replace(" ", "")
    assert held.back(f"call {stand_in.replace(' ', '')}") == "call +442071234567"


@pytest.mark.parametrize(
    ("label", "value"), [("AGE", "42"), ("PROFESSION", "nurse"), ("PERSON", "\U0001f600"), ("PERSON", "de la")]
)
def test_where_nothing_believable_can_stand_a_pseudonym_does(label: str, value: str) -> None:
    assert TOKEN.fullmatch(one(label, value))


def test_a_stand_in_cannot_put_a_pseudonym_together() -> None:
    held = Held()
    assert not TOKEN.search(held.of("ref [PERSON_3] 4711", "RECORD_NUMBER").removesuffix("[RECORD_NUMBER_1]"))


def test_a_question_is_mapped_by_what_is_settled_only() -> None:
    held = Held()
    entry = held.vault.resolve("PERSON", "Jean Rivera")
    assert held.substitutes.known(entry, "Rivera") is None
    last = held.substitutes.of(entry, "Jean Rivera").split()[1]
    assert held.substitutes.known(entry, "rivera") == last
    assert held.substitutes.known(entry, "Rivera's") == f"{last}'s"


def test_put_back_takes_the_longest_whole_words_in_one_pass() -> None:
    values = {"Moreno": "Rivera", "Dana Moreno": "Jean Rivera", "[PERSON_1]": "Moreno"}
    assert put_back("Dana Moreno, Moreno's, Morenos, [PERSON_1].", values) == (
        "Jean Rivera, Rivera's, Morenos, Moreno."
    )
    assert put_back("nothing", {}) == "nothing"
