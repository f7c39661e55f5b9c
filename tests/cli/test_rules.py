"""Terms that are always or never replaced, from the terminal: kept, applied to what is added, forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def test_a_rule_is_kept_holds_for_what_is_added_and_is_forgotten(cli: Any, tmp_path: Path) -> None:
    said = cli("rules", "--always", "Blue Heron", "--label", "company number", "--json")
    assert said.json == {
        "rules": [{"kind": "always", "term": "Blue Heron", "label": "COMPANY_NUMBER", "collection": None}]
    }
    note = tmp_path / "note.txt"
    note.write_text("The blue-heron is painted again.\n")
    (row,) = cli("add", note, "--yes", "--json").json["documents"]
    assert row["pii"] == {"COMPANY_NUMBER": 1}
    shown = cli("documents", "--text", row["id"], "--json").json["pages"][0]["text"]
    assert "[COMPANY_NUMBER_1] is painted" in shown
    told = cli("rules", "--never", "Pier 4", "--collection", row["collection"])
    assert [line.split("  ")[0].strip() for line in told.stdout.splitlines()[:2]] == ["always", "never"]
    assert "under review" in told.stdout
    left = cli("rules", "--forget", "blue HERON", "--json").json["rules"]
    assert [rule["term"] for rule in left] == ["Pier 4"]


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (["--forget", "Nobody"], "not_found", 5),
        (["--always", "?!"], "bad_request", 2),
        (["--never", "x", "--label", "PERSON"], "bad_request", 2),
        (["--always", "x", "--collection", "Nowhere"], "not_found", 5),
    ],
)
def test_what_cannot_be_done_is_told_in_words(cli: Any, words: list[str], code: str, exit_code: int) -> None:
    ran = cli("rules", *words, "--json")
    assert (ran.code, ran.json["error"]["code"]) == (exit_code, code)
    assert ran.json["error"]["message"]
