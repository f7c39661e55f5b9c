"""The stand-ins that the review can foretell: those that other documents have settled, and nothing is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from desktop_rag.workers import reviewing, viewing
from tests.workers.driving import add, run

if TYPE_CHECKING:
    from pathlib import Path

    from desktop_rag.workers.library import Library

pytestmark = pytest.mark.slow

KNOWN = "Jean Rivera met us about the harbour. Write to jean.rivera@example.org, please.\n"
LATER = "The letter of Jean Rivera was answered by Maria Alvarez. Write to jean.rivera@example.org, please.\n"


def written(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text)
    return folder / name


def foreseen(library: Library, document: str) -> dict[str, str | None]:
    """What the review says will stand for each value; asked in both ways, which must agree."""
    review = run(reviewing.review(library, document))[1]
    (told,) = run(reviewing.values(library, [document]))[0]
    found = {p["text"][s["start"] : s["end"]]: s["replacement"] for p in review["pages"] for s in p["spans"]}
    assert found == {s["text"]: s["replacement"] for page in told["pages"] for s in page["spans"]}
    return found


def vault(library: Library) -> list[list[tuple[Any, ...]]]:
    queries = "SELECT * FROM entries", "SELECT * FROM aliases", "SELECT id, secret FROM collections"
    return [[tuple(row) for row in library.db.execute(query)] for query in queries]


def test_what_is_settled_is_foretold_and_nothing_is_stored(library: Library, tmp_path: Path) -> None:
    (first,) = add(library, written(tmp_path, "known.txt", KNOWN), policy="substitute")
    clean = viewing.text(library, first["id"])["pages"][0]["text"]
    (later,) = add(library, written(tmp_path, "later.txt", LATER), policy="substitute", review=True)
    before = vault(library)
    told = foreseen(library, later["id"])
    assert told["Jean Rivera"]
    assert clean.startswith(f"{told['Jean Rivera']} met us")
    assert f"Write to {told['jean.rivera@example.org']}," in clean
    assert told["Maria Alvarez"] is None, "what stands for her is not settled yet"
    assert vault(library) == before


def test_a_name_of_the_document_itself_is_never_shown_as_a_stand_in(library: Library, tmp_path: Path) -> None:
    (first,) = add(library, written(tmp_path, "known.txt", KNOWN), policy="substitute")
    stand_in = viewing.text(library, first["id"])["pages"][0]["text"].split(" met us")[0]
    text = f"{stand_in} wrote to Jean Rivera about the harbour.\n"
    (later,) = add(library, written(tmp_path, "later.txt", text), policy="substitute", review=True)
    assert foreseen(library, later["id"])["Jean Rivera"] is None


@pytest.mark.parametrize("policy", ["substitute", "pseudonymise", "mask"])
def test_where_nothing_is_settled_nothing_is_foretold_and_no_key_is_made(
    library: Library, tmp_path: Path, policy: str
) -> None:
    add(library, written(tmp_path, "known.txt", KNOWN))
    text = "J. Rivera and Jean Rivera wrote the letter.\n"
    (later,) = add(library, written(tmp_path, "later.txt", text), policy=policy, review=True)
    assert set(foreseen(library, later["id"]).values()) == {None}
    assert [row["secret"] for row in library.db.execute("SELECT secret FROM collections")] == [None]
