"""Dates of birth are told apart in seven languages; other dates are not."""

from __future__ import annotations

import pytest

from desktop_rag.privacy.birth import births
from desktop_rag.privacy.finding import Finding


def label_of(text: str, date: str) -> str:
    at = text.index(date)
    (found,) = births(text, [Finding(at, at + len(date), "DATE_TIME", 0.8)])
    return found.label


@pytest.mark.parametrize(
    "text",
    [
        "She was born on 3 May 1980.",
        "DOB: 3 May 1980",
        "Date of birth (dd/mm/yyyy): 3 May 1980",
        "Anna Bauer, geb. am 3 May 1980",
        "geboren am 3 May 1980 in Ulm",
        "née le 3 May 1980",
        "né(e) le 3 May 1980",
        "Our records give your date of birth as 3 May 1980",
        "Geburtsdatum ist der 3 May 1980",
        "Fecha de nacimiento: 3 May 1980",
        "nata il 3 May 1980",
        "geboortedatum\n3 May 1980",
        "ur. 3 May 1980 r.",
        "Data urodzenia | 3 May 1980",
        "Hans Meier (* 3 May 1980)",
    ],
)
def test_a_date_after_a_word_for_birth(text: str) -> None:
    assert label_of(text, "3 May 1980") == "DATE_OF_BIRTH"


@pytest.mark.parametrize(
    "text",
    [
        "Signed on 3 May 1980.",
        "The rebirth of the firm took place on 3 May 1980.",
        "She was born in Ulm and moved on 3 May 1980.",
        "nature reserve, opened 3 May 1980",
    ],
)
def test_any_other_date(text: str) -> None:
    assert label_of(text, "3 May 1980") == "DATE_TIME"


def test_a_weekday_is_no_date_of_birth() -> None:
    assert label_of("born on Monday", "Monday") == "DATE_TIME"
