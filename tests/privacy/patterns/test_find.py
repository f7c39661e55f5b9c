"""What holds for every text: exact places, clean edges, no dependence on what stands around, and linear work."""

from __future__ import annotations

import unicodedata

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop_rag.privacy.finding import Finding
from desktop_rag.privacy.patterns.find import THRESHOLD, find
from desktop_rag.privacy.patterns.places import lowered, places
from tests.privacy.patterns.test_packs import FOUND

_PIECES = st.sampled_from(
    [text for text, _, _ in FOUND] + ["😀", "e\u0301", "\u0301", "İ", "ß", "\n", " ", "|", "…", "🇵🇱", "한"]
)
_TEXTS = st.one_of(st.text(), st.lists(_PIECES, max_size=6).map("".join), st.lists(_PIECES, max_size=6).map(" ".join))


@settings(deadline=None)
@given(_TEXTS)
def test_findings_lie_in_the_text_sorted_and_without_edges(text: str) -> None:
    found = find(text)
    assert found == sorted(found, key=lambda f: (f.start, f.end, f.label))
    for f in found:
        assert 0 <= f.start < f.end <= len(text)
        assert THRESHOLD <= f.score <= 1
        if f.label != "SECRET":
            value = text[f.start : f.end]
            assert not value[0].isspace()
            assert value[-1] not in " \n.,;:!?\"'»”"


@settings(deadline=None)
@given(st.data())
def test_nothing_breaks_on_what_is_nearly_a_value(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([text for text, _, _ in FOUND]))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(text)))
        piece = data.draw(st.sampled_from(["", "0", "9", "X", "ſ", "ı", "K", "²", "٣", "-", ".", " ", "\n", "é", "("]))
        text = text[:place] + piece + text[place + 1 :]
    assert all(f.end <= len(text) for f in find(text))
    assert all(f.end <= len(text) for f in find(text.translate({ord(d): ord("٠") + int(d) for d in "0123456789"})))


@settings(deadline=None)
@given(st.sampled_from(FOUND), st.sampled_from(["", "😀😀 ", "Ünï\u0301 ", "İİ ", "한글\n\n", "x" * 200 + "\n\n"]))
def test_what_stands_before_shifts_and_nothing_else(row: tuple[str, str, str], before: str) -> None:
    text, _, _ = row
    moved = [Finding(f.start + len(before), f.end + len(before), f.label, f.score) for f in find(text)]
    # The words of another paragraph say nothing about this one's values.
    shifted = [f for f in find(f"{before}\n\n{text}") if f.start >= len(before)]
    assert shifted == [Finding(f.start + 2, f.end + 2, f.label, f.score) for f in moved]


@settings(deadline=None)
@given(st.sampled_from(FOUND))
def test_marks_of_their_own_hide_nothing(row: tuple[str, str, str]) -> None:
    text, label, value = row
    apart = unicodedata.normalize("NFD", text)
    assert (label, unicodedata.normalize("NFD", value)) in [(f.label, apart[f.start : f.end]) for f in find(apart)]


def test_a_mark_goes_with_its_letter() -> None:
    text = "e\u0301 jean@example.come\u0301 \u0301"
    assert [text[f.start : f.end] for f in find(text)] == ["jean@example.come\u0301"]
    keycap = "code AB 12 34 56 C\u20e3 x"
    assert [keycap[f.start : f.end] for f in find(keycap)] == ["AB 12 34 56 C\u20e3"]


@given(st.text())
def test_lower_case_keeps_every_character_at_its_place(text: str) -> None:
    assert len(lowered(text)) == len(text)


@pytest.mark.parametrize("region", ["US", "GB", "DE", "FR", "ES", "IT", "NL", "PL", "CA", "AT", "CH", "IE", "BE"])
@pytest.mark.parametrize("kind", [phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE])
def test_the_phones_of_each_country(region: str, kind: int) -> None:
    number = phonenumbers.example_number_for_type(region, kind)
    abroad = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    at_home = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    bare = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    for text in (f"Reach her at {abroad}.", f"tel. {at_home}", f"or {bare}, thanks"):
        phones = [text[f.start : f.end] for f in find(text) if f.label == "PHONE_NUMBER"]
        assert any(value.lstrip("(") in phones or value in phones for value in (abroad, at_home, bare)), (text, phones)


def test_words_beside_a_value_decide() -> None:
    assert [f.label for f in find("They counted 44051401358 of them.")] == []
    assert "NATIONAL_ID" in {f.label for f in find("PESEL\n44051401358")}
    assert "NATIONAL_ID" not in {f.label for f in find("PESEL\n\nThey counted\n44051401358")}
    # The words after one number belong to the next.
    labels = {(f.start, f.label) for f in find("tel. 030 123456, VAT 01234567890")}
    assert (21, "TAX_NUMBER") in labels
    assert (21, "PHONE_NUMBER") not in labels
    assert (22, "PHONE_NUMBER") in {(f.start, f.label) for f in find("tel. 030 1234567 oder 123456789")}
    # "Fax:" names the number after it, not the one before.
    assert [f.label for f in find("Sum 123456789 Fax: none")] == []


_HOSTILE = [
    "1",
    "1 ",
    "1.",
    "1-",
    "12/",
    "@",
    "a@",
    "a.",
    "a.b@",
    "+",
    "(",
    "1:",
    "a1",
    "A1 ",
    "ab cd 12 ",
    "www.",
    "no. ",
    "é",
]
_HOSTILE += [
    "\u0301",
    "a\u0301",
    "€1",
    "case no. 1",
    "password: ",
    "eyJ1",
    "March 1 ",
    "three ",
    "Mr ",
    "ul. A ",
    "1 A ",
    "::",
]


@pytest.mark.parametrize("piece", _HOSTILE)
def test_hostile_text_makes_no_more_work_than_its_length(piece: str) -> None:
    # A pattern that goes back over the text would never come to the end of this.
    text = (piece * 30_000)[:30_000]
    assert all(f.end <= len(text) for f in find(text))


@pytest.mark.parametrize("piece", _HOSTILE)
def test_places_grow_with_the_length(piece: str) -> None:
    short, long = (sum(map(len, places(piece * n, frozenset()).kinds.values())) for n in (500, 2000))
    assert long <= 5 * short + 40
