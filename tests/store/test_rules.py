"""Rules in the database: one per term and place, the collection's own before those for all."""

from __future__ import annotations

from typing import Any

import pytest

from desktop_rag.errors import StoreError, UsageError
from desktop_rag.privacy.finding import Finding
from desktop_rag.store.collections import Collections
from desktop_rag.store.rules import RuleRows


@pytest.fixture
def one(db: Any) -> int:
    return int(Collections(db).create("One", "mask", True)["id"])


def test_a_term_has_one_rule_in_each_place_however_it_is_written(db: Any, one: int) -> None:
    rules = RuleRows(db)
    rules.add(one, "always", "  Blue\n Heron ", "company number")
    rules.add(None, "always", "blue heron")
    again = rules.add(one, "never", "BLUE-HERON")
    assert [(row["collection"], row["kind"], row["term"]) for row in rules.all(one)] == [
        (None, "always", "blue heron"),
        ("One", "never", "BLUE-HERON"),
    ]
    assert rules.about("Blue, Heron", one) == again
    assert rules.holding(one).about("blue heron") == "never", "its own rule comes first"


def test_rules_of_other_collections_do_not_hold(db: Any, one: int) -> None:
    rules = RuleRows(db)
    other = int(Collections(db).create("Other", "mask", True)["id"])
    rules.add(other, "always", "Heron")
    assert rules.holding(one).apply("Heron", []) == []
    assert rules.holding(other).apply("Heron", []) == [Finding(0, 5, "OWN_TERM", 1.0)]
    assert len(rules.all()) == 1
    Collections(db).delete(other)
    assert rules.all() == []


@pytest.mark.parametrize(
    ("kind", "term", "label"),
    [("always", "", None), ("always", "👍", None), ("always", "x " * 150, None), ("often", "x", None),
     ("always", "x", "[PERSON]"), ("always", "x", "P3"), ("always", "x", "PERSON_3")],
)  # fmt: skip
def test_what_is_no_rule_is_refused_in_words(db: Any, kind: Any, term: str, label: str | None) -> None:
    with pytest.raises(UsageError) as refused:
        RuleRows(db).add(None, kind, term, label)
    assert refused.value.message
    assert RuleRows(db).all() == []


def test_a_forgotten_rule_is_gone_and_a_stranger_is_not_found(db: Any, one: int) -> None:
    rules = RuleRows(db)
    row = rules.add(one, "never", "Heron")
    rules.forget(row["id"])
    for ask in (lambda: rules.need(row["id"]), lambda: rules.about("Heron", one)):
        with pytest.raises(StoreError) as missing:
            ask()
        assert missing.value.code == "not_found"
