"""A document that could not be scrubbed is not indexed, and what is scrubbed never reaches the tables as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from desktop_rag.privacy.detect import Detector, Finding
from desktop_rag.retrieval.encode import EncoderCard, Vectors
from desktop_rag.workers import indexing
from desktop_rag.workers.library import Library

pytestmark = pytest.mark.slow
TABLES = ("pages", "chunks", "postings", "terms", "vectors", "spans", "entries", "aliases")


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
    """An encoder that costs nothing."""

    card = EncoderCard("flat", 4, 256, "flat", {})

    def encode(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Vectors]]:
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
