"""What the network says is weighed: ordinary words are not taken out of a text, doubtful names are shown."""

from __future__ import annotations

import pytest

from desktop_rag.privacy.believable import believable
from desktop_rag.privacy.recogniser import Found


def weighed(value: str, label: str, score: float) -> str | None:
    return believable(value, Found(0, len(value), label, score))


@pytest.mark.parametrize(
    ("value", "label", "score"),
    [
        ("12", "STREET_ADDRESS", 0.99),
        ("#", "STREET_ADDRESS", 0.9),
        ("watts", "STREET_ADDRESS", 0.78),
        ("Z-40", "ID_NUMBER", 0.94),
        ("LP-", "ID_NUMBER", 0.87),
        ("22", "DATE_TIME", 0.99),
        ("house", "ORGANIZATION", 0.98),
        ("judge", "PROFESSION", 0.5),
    ],
)
def test_what_is_nothing(value: str, label: str, score: float) -> None:
    assert weighed(value, label, score) is None


@pytest.mark.parametrize(
    ("value", "label", "score"),
    [
        ("18 Harbour Road", "STREET_ADDRESS", 0.6),
        ("R-2291", "ID_NUMBER", 0.6),
        ("1995", "DATE_TIME", 0.6),
        ("Acme", "ORGANIZATION", 0.7),
        ("Jean Rivera", "PERSON", 0.5),
        ("Jean", "PERSON", 0.5),
        ("Zorblat", "PERSON", 0.95),
        ("Vincent van Gogh", "PERSON", 0.6),
    ],
)
def test_what_holds(value: str, label: str, score: float) -> None:
    assert weighed(value, label, score) == label


@pytest.mark.parametrize(("value", "score"), [("Pets", 0.89), ("Ammonium molybdate", 0.79), ("Price", 0.75)])
def test_what_may_be_a_name_is_left_to_its_reader(value: str, score: float) -> None:
    assert weighed(value, "PERSON", score) == "POSSIBLE_NAME"
