"""Treatments of classes in the database: only what is not usual is kept, a collection's own before those for all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from desktop_rag.errors import UsageError
from desktop_rag.privacy.classes import Treatment, treatable
from desktop_rag.store import connection as connecting
from desktop_rag.store.collections import Collections
from desktop_rag.store.migrations import MIGRATIONS
from desktop_rag.store.rules import RuleRows
from desktop_rag.store.treatments import Treatments

if TYPE_CHECKING:
    from pathlib import Path

    from tests.store.conftest import Open

_REPLACE, _LEAVE = Treatment(True), Treatment(False)


@pytest.fixture
def one(db: Any) -> int:
    return int(Collections(db).create("One", "mask", True)["id"])


def test_only_what_is_not_usual_is_kept(db: Any, one: int) -> None:
    held = Treatments(db)
    held.set(one, "LOCATION", _LEAVE)
    held.set(None, "PERSON", _REPLACE)
    assert held.all() == []
    held.set(one, "PERSON", Treatment(True, 0.8))
    assert held.all() == [{"label": "PERSON", "replace": True, "threshold": 0.8, "collection": "One"}]
    held.set(one, "PERSON", _REPLACE)
    assert held.all() == []


def test_a_collections_own_word_comes_before_the_one_for_all(db: Any, one: int) -> None:
    held = Treatments(db)
    other = int(Collections(db).create("Other", "mask", True)["id"])
    held.set(None, "LOCATION", _REPLACE)
    held.set(one, "LOCATION", _LEAVE)
    assert held.holding(one) == {"LOCATION": _LEAVE}
    assert held.holding(other) == held.holding(None) == {"LOCATION": _REPLACE}
    assert not RuleRows(db).holding(one).replaces("LOCATION", 1.0)
    assert RuleRows(db).holding(other).replaces("LOCATION", 0.1)
    held.set(one, "LOCATION", None)
    assert held.holding(one) == {"LOCATION": _REPLACE}
    held.set(one, "LOCATION", _LEAVE)
    Collections(db).delete(one)
    assert [row["collection"] for row in held.all()] == [None]


def test_the_last_word_about_a_class_holds_also_for_all_collections(db: Any) -> None:
    held = Treatments(db)
    held.set(None, "PERSON", Treatment(True, 0.5))
    held.set(None, "PERSON", _LEAVE)
    assert [(row["replace"], row["threshold"]) for row in held.all()] == [(False, 0.0)]


def test_an_unknown_class_and_an_impossible_score_are_refused(db: Any, one: int) -> None:
    held = Treatments(db)
    with pytest.raises(UsageError) as unknown:
        held.set(one, "PLACE", _LEAVE)
    assert all(label in unknown.value.hint for label in treatable())
    for threshold in (-0.1, 1.1, float("nan")):
        with pytest.raises(UsageError):
            held.set(one, "PERSON", Treatment(True, threshold))
    assert held.all() == []


def test_a_library_from_before_keeps_its_rules_and_can_treat_classes(
    path: Path, connect: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = next(number for number, script in enumerate(MIGRATIONS) if "CREATE TABLE treatments" in script)
    monkeypatch.setattr(connecting, "MIGRATIONS", MIGRATIONS[:before])
    old = connect()
    one = int(Collections(old).create("One", "mask", True)["id"])
    old.execute("INSERT INTO rules (kind, term, folded, label, created) VALUES ('never', 'Leeds', 'leeds', 'X', 0)")
    old.close()
    monkeypatch.undo()
    newer = connect()
    Treatments(newer).set(one, "LOCATION", _REPLACE)
    held = RuleRows(newer).holding(one)
    assert (held.about("Leeds"), held.replaces("LOCATION", 0.5)) == ("never", True)
    newer.close()


def test_a_class_that_this_version_does_not_know_is_replaced(db: Any, one: int) -> None:
    db.execute("INSERT INTO treatments (label, replace, threshold) VALUES ('NEW_CLASS', 0, 0)")
    assert RuleRows(db).holding(one).replaces("NEW_CLASS", 0.1)
