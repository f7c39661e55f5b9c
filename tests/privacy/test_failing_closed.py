"""A document that could not be scrubbed is not indexed, and what is scrubbed never reaches the tables as it was."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from desktop_rag.privacy.finding import Detector, Finding
from desktop_rag.retrieval.encode import EncoderCard, Vectors
from desktop_rag.workers import cleaning, indexing
from desktop_rag.workers.library import ENCODER_MODEL, Library

pytestmark = pytest.mark.slow
TABLES = ("pages", "chunks", "forward", "unmerged", "segments", "terms", "vectors", "spans", "entries", "aliases")


class Failing:
    """Looks at the first texts, then breaks."""

    def __init__(self, after: int) -> None:
        self._left = after

    def detect(self, texts: Sequence[str]) -> Iterator[list[Finding]]:
        for _ in texts:
            if self._left == 0:
                raise RuntimeError("the model broke on Jean Rivera")
            self._left -= 1
            yield []


class Flat:
    """An encoder that costs nothing, in the place of the first one."""

    card = EncoderCard("flat", 4, 256, "flat", {"id": ENCODER_MODEL})

    def encode(self, texts: Sequence[str], *, query: bool = False) -> Iterator[tuple[list[int], Vectors]]:
        yield list(range(len(texts))), np.full((len(texts), 4), 0.5, dtype=np.float32)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    (tmp_path / "data").mkdir()
    made = Library(tmp_path / "data")
    made.__dict__["encoder"] = Flat()
    yield made
    made.close()


def add(library: Library, detector: Detector, *paths: Path, policy: str = "pseudonymise", review: bool = False) -> Any:
    library.__dict__["detector"] = detector
    collection = library.collections.find("My documents") or library.collections.create("My documents", "keep", False)
    work = indexing.add(library, [str(p) for p in paths], collection["id"], policy, review)
    events: list[dict[str, Any]] = []
    while True:
        try:
            event = next(work)
        except StopIteration as stop:
            return stop.value["documents"], events
        if event is not None:
            events.append(event)


@pytest.mark.parametrize("after", [0, 2])
def test_a_detector_that_breaks_leaves_nothing_indexed(library: Library, tmp_path: Path, after: int) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Jean Rivera signed. " * 900)
    (row,), events = add(library, Failing(after), path)
    assert (row["state"], row["error"]["code"], row["chunks"]) == ("failed", "scrub_failed", 0)
    assert "Rivera" not in str(events)
    for table in TABLES:
        assert library.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0, table


def test_column_names_that_cannot_be_looked_at_stop_the_document(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("Jean Rivera,Sum\n1,2\n3,4\n")
    (row,), _ = add(library, Failing(1), path)
    assert (row["state"], row["error"]["code"], row["chunks"]) == ("failed", "scrub_failed", 0)
    assert library.db.execute("SELECT count(*) FROM chunks").fetchone()[0] == 0


def context(library: Library, document: str) -> str:
    """Column names of a document as its chunks hold them, and the terms of all documents."""
    names = library.db.execute("SELECT context FROM chunks WHERE document_id = ?", (document,)).fetchall()
    return " ".join(row[0] for row in names)


def terms(library: Library) -> set[str]:
    return {row[0] for row in library.db.execute("SELECT term FROM terms")}


class TestColumnNames:
    """The detector sees nobody in the header itself."""

    TABLE = "Task;Quillfeather;Budget\nRoof;12;40\nWall;13;50\n"

    def test_a_person_known_from_another_document_is_replaced(
        self, library: Library, tmp_path: Path, word_detector: Callable[..., Detector]
    ) -> None:
        letter, table = tmp_path / "a.txt", tmp_path / "t.csv"
        letter.write_text("Ms Zaphodia Quillfeather wrote.")
        table.write_text(self.TABLE)
        rows, _ = add(library, word_detector({"Zaphodia Quillfeather": "PERSON"}), letter, table)
        assert "[PERSON_1]" in context(library, rows[1]["id"])
        assert "Quillfeather" not in context(library, rows[1]["id"])
        assert "quillfeath" not in " ".join(terms(library))

    @pytest.mark.parametrize(
        ("policy", "token"), [("pseudonymise", "[PERSON_1]"), ("mask", "[PERSON]"), ("remove", "")]
    )
    def test_a_person_of_the_same_document_is_replaced(
        self, library: Library, tmp_path: Path, word_detector: Callable[..., Detector], policy: str, token: str
    ) -> None:
        path = tmp_path / "t.csv"
        path.write_text("Task;Quillfeather;Note\nRoof;12;none\nWall;13;by Zaphodia Quillfeather\n")
        (row,), _ = add(library, word_detector({"Zaphodia Quillfeather": "PERSON"}), path, policy=policy)
        held = context(library, row["id"])
        assert "Task" in held
        assert "Quillfeather" not in held
        assert token in held

    def test_the_reviewer_decides_for_column_names_too(
        self, library: Library, tmp_path: Path, word_detector: Callable[..., Detector]
    ) -> None:
        path = tmp_path / "t.csv"
        path.write_text("Acme;Quillfeather;Budget\nRoof;12;40\n")
        detector = word_detector({"Acme": "ORGANIZATION", "Quillfeather": "PERSON"})
        (row,), _ = add(library, detector, path, review=True)
        (page,) = library.documents.page_rows(row["id"])
        ticks = {str(s["id"]): s["label"] == "ORGANIZATION" for s in library.documents.spans(page["id"])}
        for _ in indexing.accept(library, [row["id"]], {row["id"]: ticks}):
            pass
        assert "[ORGANIZATION_1]" in context(library, row["id"])
        assert "Quillfeather" in context(library, row["id"])
        assert "Acme" not in context(library, row["id"])


def test_cleaning_gives_way_between_pages(
    library: Library, tmp_path: Path, word_detector: Callable[..., Detector], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleaning, "_CHARS_A_STEP", 10)
    library.__dict__["detector"] = word_detector({"Maria Rivera": "PERSON"})
    path = tmp_path / "letter.txt"
    path.write_text("\f".join(f"Page {number} by Maria Rivera." for number in range(4)))
    collection = library.collections.create("My documents", "pseudonymise", False)["id"]
    written = [
        library.db.execute("SELECT count(text), count(*) FROM pages").fetchone()
        for _ in indexing.add(library, [str(path)], collection, "pseudonymise", False)
    ]
    assert {(done, total) for done, total in written} >= {(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)}


@pytest.mark.parametrize("steps", range(12))
def test_cleaning_that_is_broken_off_is_done_over_as_if_nothing_had_been(
    library: Library,
    tmp_path: Path,
    word_detector: Callable[..., Detector],
    monkeypatch: pytest.MonkeyPatch,
    steps: int,
) -> None:
    monkeypatch.setattr(cleaning, "_CHARS_A_STEP", 10)
    path = tmp_path / "letter.txt"
    path.write_text("\f".join(["Dear Rivera, see [PERSON_9].", "Maria Rivera wrote.", "Then Bo Lund left."]))
    detector = word_detector({"Maria Rivera": "PERSON", "Bo Lund": "PERSON"})
    library.__dict__["detector"] = detector
    collection = library.collections.create("My documents", "pseudonymise", False)["id"]
    work = indexing.add(library, [str(path)], collection, "pseudonymise", False)
    next(event for event in work if event and event.get("state") == "cleaning")
    for _ in range(steps):
        next(work, None)
    work.close()
    entries = {row[0] for row in library.db.execute("SELECT id FROM entries")}
    used = {row[0] for row in library.db.execute("SELECT DISTINCT entry_id FROM spans WHERE entry_id IS NOT NULL")}
    assert entries == used, "another request may erase what nothing refers to"

    for document in library.documents.unfinished():
        for _ in indexing.run(library, [document]):
            pass
    (row,) = library.documents.rows()
    texts = [page["text"] for page in library.documents.page_rows(row["id"])]
    whole = "\n".join(texts)
    assert row["state"] == "ready"
    assert (
        re.sub(r"_\d+\]", "]", whole).split()
        == re.sub(r"_\d+\]", "]", "Dear [PERSON_1], see (PERSON_9). [PERSON_1] wrote. Then [PERSON_2] left.").split()
    )
    first, again, other = re.findall(r"\[PERSON_\d+\]", whole)
    assert first == again != other
    assert library.db.execute("SELECT count(*) FROM spans WHERE label = 'LOOK_ALIKE'").fetchone()[0] == 1
    assert library.db.execute("SELECT count(*) FROM entries").fetchone()[0] == 2


def test_the_other_documents_go_on(library: Library, tmp_path: Path) -> None:
    bad, good = tmp_path / "a.txt", tmp_path / "b.txt"
    bad.write_text("First text.")
    good.write_text("Second text about pumps.")

    class Once:
        def detect(self, texts: Sequence[str]) -> Iterator[list[Finding]]:
            if "First" in texts[0]:
                raise RuntimeError
            return iter([[] for _ in texts])

    rows, _ = add(library, Once(), bad, good)
    assert [row["state"] for row in rows] == ["failed", "ready"]


def test_real_values_stand_in_the_vault_alone(
    library: Library, tmp_path: Path, word_detector: Callable[..., Detector]
) -> None:
    path = tmp_path / "letter.md"
    path.write_text(
        "# Letter of Zaphodia Quillfeather\n\nZaphodia Quillfeather wrote.\n\n"
        "| Quillfeather | x |\n|---|---|\n| 1 | 2 |\n"
    )
    (row,), _ = add(library, word_detector({"Zaphodia Quillfeather": "PERSON"}), path)
    assert (row["state"], row["pii"]) == ("ready", {"PERSON": 3})
    tables = [r[0] for r in library.db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    holding = {
        table
        for table in tables
        for values in library.db.execute(f'SELECT * FROM "{table}"')
        if "quillfeather" in str(tuple(values)).casefold()
    }
    assert holding == {"aliases"}


@pytest.mark.parametrize(
    ("policy", "expected"), [("mask", "[PERSON] wrote."), ("remove", " wrote."), ("keep", "Jean Rivera wrote.")]
)
def test_policies(
    library: Library, tmp_path: Path, word_detector: Callable[..., Detector], policy: str, expected: str
) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Jean Rivera wrote.")
    (row,), _ = add(library, word_detector({"Jean Rivera": "PERSON"}), path, policy=policy)
    (page,) = library.documents.page_rows(row["id"])
    assert page["text"] == expected
    assert library.db.execute("SELECT count(*) FROM aliases").fetchone()[0] == 0


def test_a_bare_name_above_the_full_one_means_this_documents_person(
    library: Library, tmp_path: Path, word_detector: Callable[..., Detector]
) -> None:
    names = word_detector({"Jean Rivera": "PERSON", "Maria Rivera": "PERSON", "Rivera": "PERSON"})
    one, other = tmp_path / "one.txt", tmp_path / "two.txt"
    one.write_text("Jean Rivera wrote. Then Rivera left.")
    other.write_text("Dear Rivera,\n\nyours, Maria Rivera")

    class Longest:
        def detect(self, texts: Sequence[str]) -> Iterator[list[Finding]]:
            for found in names.detect(texts):
                yield [f for f in found if not any(g.start < f.start and f.end <= g.end for g in found)]

    rows, _ = add(library, Longest(), one, other)
    texts = [library.documents.page_rows(row["id"])[0]["text"] for row in rows]
    assert texts == ["[PERSON_1] wrote. Then [PERSON_1] left.", "Dear [PERSON_2],\n\nyours, [PERSON_2]"]
