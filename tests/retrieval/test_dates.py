"""However a date is written, it is one term."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.retrieval.dates import date_terms

ENGLISH = "January February March April May June July August September October November December".split()
GERMAN = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split()
FRENCH = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()
SPANISH = "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split()
ORDINALS = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}


def spellings(day: dt.date) -> list[str]:
    name, d, y = ENGLISH[day.month - 1], day.day, day.year
    ordinal = f"{d}{ORDINALS.get(d, 'th')}"
    return [
        *(day.isoformat(), f"{d}.{day.month}.{y}", f"{d:02}.{day.month:02}.{y}", f"{d}. {day.month}. {y}"),
        *(f"{name} {d}, {y}", f"{name} {d} {y}", f"{name} {ordinal}, {y}", f"{name[:3]}. {d}, {y}"),
        *(f"{d} {name} {y}", f"{ordinal} {name} {y}", f"{ordinal} of {name} {y}", f"{d} {name}, {y}"),
        *(f"{d}-{name[:3]}-{y}", f"{d}-{name[:3]}-{y % 100:02}", f"{d} {name[:3].upper()} {y}"),
        *(f"{d}. {GERMAN[day.month - 1]} {y}", f"{d} {FRENCH[day.month - 1]} {y}"),
        f"{d} de {SPANISH[day.month - 1]} de {y}",
    ]


@given(st.dates(dt.date(1970, 1, 1), dt.date(2069, 12, 31)), st.data())
def test_every_spelling_of_a_day_is_the_same_term(day: dt.date, data: st.DataObject) -> None:
    written = data.draw(st.sampled_from(spellings(day)))
    assert list(date_terms(f"signed on {written}.")) == [f"date:{day.isoformat()}"]


def test_all_days_of_three_years_in_all_spellings() -> None:
    day, last = dt.date(2023, 1, 1), dt.date(2025, 12, 31)
    wrong = []
    while day <= last:
        wrong += [s for s in spellings(day) if list(date_terms(s)) != [f"date:{day.isoformat()}"]]
        day += dt.timedelta(days=1)
    assert wrong == []


@pytest.mark.parametrize(
    "text", ["32 May 2024", "2024-13-01", "0.5.2024", "version 1.2.20245", "May 2024", "12:30", "3/4", "maybe 3 20"]
)
def test_what_is_no_date_gives_none(text: str) -> None:
    assert list(date_terms(text)) == []


@given(st.text("0123456789.-/ ,MayJun", max_size=40))
def test_terms_are_always_well_formed(text: str) -> None:
    for term in date_terms(text):
        year, month, day = term.removeprefix("date:").split("-")
        assert (len(year), 1 <= int(month) <= 12, 1 <= int(day) <= 31) == (4, True, True)
