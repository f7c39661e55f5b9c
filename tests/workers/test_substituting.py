"""A collection of believable stand-ins: indexed, asked, revealed, exact in its places, erased, changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_rag.privacy.scrub import put_back
from desktop_rag.workers import hits, questions, viewing
from desktop_rag.workers.removing import remove_document
from tests.workers.driving import add, everything, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desktop_rag.workers.library import Library

pytestmark = pytest.mark.slow

LEASE = (
    "Jean Rivera (jean.rivera@northwind.com) signed the lease of the warehouse.\n\n"
    "Mr Rivera pays 950 euros from GB29 NWBK 6016 1331 9268 19. \U0001f600 J. Rivera’s lawyer is Anna Kowalska."
    " Ask [PERSON_3].\n"
)
REAL = ("Rivera", "rivera", "Jean", "Kowalska", "northwind", "6016", "NWBK")


def indexed(library: Library, folder: Path, text: str = LEASE, name: str = "lease.txt") -> tuple[str, str]:
    """The id and the stored text of one document."""
    (folder / name).write_text(text, encoding="utf-8")
    (row,) = add(library, folder / name, policy="substitute")
    assert row["state"] == "ready", row["error"]
    return row["id"], stored(library, row["id"])


def stored(library: Library, document: str) -> str:
    return "\n".join(page["text"] for page in viewing.text(library, document)["pages"])


def revealed(library: Library, text: str) -> str:
    return put_back(text, questions.reveal(library, [text]))


def test_stand_ins_are_stored_and_turned_back(library: Library, tmp_path: Path) -> None:
    document, text = indexed(library, tmp_path)
    assert not [value for value in REAL if value in text]
    assert "[PERSON" not in text
    assert "(PERSON_3)" in text
    assert revealed(library, text).strip() == LEASE.strip().replace("[PERSON_3]", "(PERSON_3)")
    page = library.documents.page_rows(document)[0]
    for span in library.documents.spans(page["id"]):
        if span["replace"]:
            stand_in = text[span["scrubbed_start"] : span["scrubbed_end"]]
            assert revealed(library, stand_in) == LEASE[span["start"] : span["end"]]


def test_a_question_is_mapped_in_and_finds_and_nothing_real_is_kept_of_it(library: Library, tmp_path: Path) -> None:
    _, text = indexed(library, tmp_path)
    prepared = questions.prepare(library, {"question": "What does mr rivera pay?"})
    last = text.split()[1]
    assert prepared["question"] == prepared["prompt_question"] == f"What does mr {last} pay?"
    assert not prepared["missing"]
    assert last in prepared["passages"][0]["text"]
    finished = questions.finish(
        library,
        {
            **prepared,
            "answer": f"Mr {last} pays 950 euros.",
            "conversation": prepared["conversation"],
            "prompt_question": prepared["prompt_question"],
        },
    )
    assert revealed(library, finished["answer"]) == "Mr Rivera pays 950 euros."
    # The question as it is typed is in no table: only the vault knows the name.
    told = "\n".join(str(tuple(row)) for row in library.db.execute("SELECT text, data FROM messages"))
    assert "rivera" not in told.lower()


def test_a_stand_in_read_off_the_screen_can_be_asked_about(library: Library, tmp_path: Path) -> None:
    _, text = indexed(library, tmp_path)
    name = " ".join(text.split()[:2])
    prepared = questions.prepare(library, {"question": f"What did {name} sign?"})
    assert prepared["question"] == f"What did {name} sign?"
    assert prepared["unknown"] == []


def test_a_citation_leads_to_the_place_in_the_original(library: Library, tmp_path: Path) -> None:
    indexed(library, tmp_path)
    hit = questions.find(library, "who is the lawyer", None, "hybrid", 1)["hits"][0]
    original = LEASE[hit["start"] : hit["end"]]
    assert original.startswith("Jean Rivera")
    assert original.rstrip().endswith("[PERSON_3].")


def test_somebody_called_like_a_stand_in_gets_another_one(library: Library, tmp_path: Path) -> None:
    _, first = indexed(library, tmp_path)
    last = first.split()[1]
    # The detector sees no name here, but readers would take it for Rivera's stand-in.
    typed = f"The {last} bridge was repaired in spring, and the {last} dam after it.\n"
    document, second = indexed(library, tmp_path, typed, "bridge.txt")
    assert last not in second
    assert revealed(library, second).strip() == typed.strip()
    assert revealed(library, first).startswith("Jean Rivera")
    page = library.documents.page_rows(document)[0]
    offsets = hits.page_offsets(library, page["id"])
    assert typed[offsets.to_original(second.index("dam")) :].startswith("dam")
    # Read again, it stays so, and its vault entry goes with it.
    remove_document(library, document)
    assert last not in {row[0] for row in library.db.execute("SELECT value FROM aliases")}


def test_the_same_people_have_the_same_stand_ins_after_a_restart(
    open_library: Callable[[], Library], tmp_path: Path
) -> None:
    first = open_library()
    _, text = indexed(first, tmp_path)
    first.close()
    second = open_library()
    _, other = indexed(second, tmp_path, "Jean Rivera moved out.\n", "out.txt")
    assert other.split()[:2] == text.split()[:2]
    assert revealed(second, text).startswith("Jean Rivera (jean.rivera@northwind.com)")


def test_what_is_erased_takes_its_stand_ins_along(library: Library, tmp_path: Path) -> None:
    document, text = indexed(library, tmp_path)
    stands = [word.strip(".,()’") for word in text.split()[:2]]
    remove_document(library, document)
    left = everything(library)
    assert not [value for value in (*REAL, *stands) if value in left]
    assert revealed(library, text) == text


def test_a_collection_may_change_its_policy_and_old_documents_stay_as_they_are(
    library: Library, tmp_path: Path
) -> None:
    (tmp_path / "old.txt").write_text("Jean Rivera owns the boat.\n")
    (old,) = add(library, tmp_path / "old.txt")
    _, new = indexed(library, tmp_path)
    token = stored(library, old["id"]).split()[0]
    assert token.startswith("[PERSON_")
    name = " ".join(new.split()[:2])
    asked = questions.find(library, "What does Jean Rivera own?", None, "hybrid", 2)
    assert asked["query"] == f"What does {name} or {token} own?"
    assert {hit["name"] for hit in asked["hits"]} == {"old.txt", "lease.txt"}
    assert revealed(library, f"{token} is {name}") == "Jean Rivera is Jean Rivera"


def test_reading_again_changes_nothing(library: Library, tmp_path: Path) -> None:
    from desktop_rag.workers import indexing

    document, text = indexed(library, tmp_path)
    run(indexing.read_again(library, [document]))
    (again,) = [row["id"] for row in library.documents.rows(library.default_collection()["id"])]
    assert stored(library, again) == text
