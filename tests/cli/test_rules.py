"""Terms that are always or never replaced, from the terminal: kept, applied to what is added, forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def test_a_rule_is_kept_holds_for_what_is_added_and_is_forgotten(cli: Any, tmp_path: Path) -> None:
    said = cli("rules", "--always", "Blue Heron", "--label", "company number", "--json")
    assert said.json["rules"] == [
        {"kind": "always", "term": "Blue Heron", "label": "COMPANY_NUMBER", "collection": None}
    ]
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


def test_documents_that_were_indexed_before_are_cleaned_again(cli: Any, tmp_path: Path) -> None:
    note, letter = tmp_path / "method.txt", tmp_path / "letter.txt"
    note.write_text("the jaroslaw quimby method is described in chapter two, with the amber kettle\n")
    letter.write_text("The lease was signed by Jaroslaw Quimby on Friday.\n")
    first = cli("add", note, "--yes", "--json").json
    assert first["cleaned_again"] == 0
    assert cli("add", letter, "--yes").stdout.splitlines()[-1] == (
        "1 document was cleaned again for values found since."
    )
    said = cli("rules", "--always", "Amber Kettle")
    assert said.stdout.splitlines()[-1] == "1 document was cleaned again for values found since."
    assert cli("rules", "--always", "amber kettle", "--json").json["cleaned_again"] == 0
    shown = cli("documents", "--text", first["documents"][0]["id"]).stdout.casefold()
    assert "method is described in chapter two" in shown
    assert not [word for word in ("quimby", "kettle") if word in shown]
    cli("rules", "--forget", "amber kettle")


def test_a_class_is_treated_as_told_and_then_as_usual_again(cli: Any, tmp_path: Path) -> None:
    told = cli("rules", "--class", "location", "replace", "--threshold", "0.1", "--json").json
    assert told["treatments"] == [
        {"class": "LOCATION", "name": "Place", "treatment": "replace", "threshold": 0.1, "collection": None}
    ]
    assert {"class": "PERSON", "name": "Person", "treatment": "replace", "threshold": None, "default": "replace"} in (
        told["classes"]
    )
    note = tmp_path / "note.txt"
    note.write_text("Jean Rivera moved to Leeds, says the report of the city council.\n")
    (row,) = cli("add", note, "--yes", "--policy", "mask", "--json").json["documents"]
    where = row["collection"]
    left = cli("rules", "--class", "PERSON", "leave", "--collection", where)
    assert "stays readable" in left.stdout
    second = tmp_path / "second.txt"
    second.write_text("Jean Rivera moved to Leeds, says the report of the mayor.\n")
    (other,) = cli("add", second, "--yes", "--policy", "mask", "--json").json["documents"]
    texts = [cli("documents", "--text", r["id"], "--json").json["pages"][0]["text"] for r in (row, other)]
    assert [text[: text.index(", says")] for text in texts] == [
        "[PERSON] moved to [LOCATION]",
        "Jean Rivera moved to [LOCATION]",
    ]
    cli("rules", "--class", "PERSON", "default", "--collection", where)
    last = cli("rules", "--class", "LOCATION", "default")
    assert "stays readable" not in last.stdout
    assert cli("rules", "--json").json["treatments"] == []


def test_an_unknown_class_is_refused_and_the_known_ones_are_named(cli: Any) -> None:
    told = cli("rules", "--class", "CITY", "leave", "--json").json["error"]
    assert "CITY" in told["message"]
    assert "LOCATION" in told["hint"]


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (["--forget", "Nobody"], "not_found", 5),
        (["--always", "?!"], "bad_request", 2),
        (["--never", "x", "--label", "PERSON"], "bad_request", 2),
        (["--always", "x", "--collection", "Nowhere"], "not_found", 5),
        (["--class", "PERSON", "hide"], "bad_request", 2),
        (["--class", "PERSON", "leave", "--threshold", "0.5"], "bad_request", 2),
        (["--class", "PERSON", "replace", "--threshold", "7"], "bad_request", 2),
        (["--never", "x", "--threshold", "0.5"], "bad_request", 2),
    ],
)
def test_what_cannot_be_done_is_told_in_words(cli: Any, words: list[str], code: str, exit_code: int) -> None:
    ran = cli("rules", *words, "--json")
    assert (ran.code, ran.json["error"]["code"]) == (exit_code, code)
    assert ran.json["error"]["message"]
