"""Documents of an earlier analyser are analysed anew from the stored text, whatever happens meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desktop_rag.retrieval.analyse import ANALYSER_VERSION
from desktop_rag.store.connection import transaction
from desktop_rag.workers import analysing, questions
from desktop_rag.workers.removing import remove_document
from tests.workers.driving import add

if TYPE_CHECKING:
    from desktop_rag.workers.library import Library

pytestmark = pytest.mark.slow
TEXT = "Die Mieter der Häuser zahlen die Miete am Anfang jedes Monats an den Vermieter. " * 3


@pytest.fixture
def behind(library: Library, tmp_path: Path) -> list[str]:
    """Two German documents whose words were made by an earlier version, as if they were English."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.txt").write_text(f"{name.upper()}. {TEXT}", encoding="utf-8")
    rows = add(library, tmp_path / "a.txt", tmp_path / "b.txt")
    documents = [row["id"] for row in rows]
    for document in documents:
        library.documents.update(document, language="en")
        with transaction(library.db):
            for row in library.documents.chunks(document):
                library.lexical.remove([row["chunk"]])
                library.lexical.add(row["chunk"], row["text"])
        library.documents.update(document, language="de", analyser_version="1")
    return documents


def found(library: Library, query: str) -> int:
    return len(questions.find(library, query, None, "bm25", 5)["hits"])


def test_they_are_found_as_if_they_had_just_come(library: Library, behind: list[str]) -> None:
    assert found(library, "Haus") == 0
    for _ in analysing.refresh(library):
        pass
    assert found(library, "Haus") == 2
    assert library.documents.analysed_before(ANALYSER_VERSION) == []
    assert list(analysing.refresh(library)) == [], "nothing is done twice"


def test_an_interrupted_one_goes_on_and_a_removed_one_is_left_out(library: Library, behind: list[str]) -> None:
    steps = analysing.refresh(library)
    next(steps)
    remove_document(library, behind[1])
    steps.close()
    assert library.documents.analysed_before(ANALYSER_VERSION) == [behind[0]]
    for _ in analysing.refresh(library):
        pass
    assert found(library, "Haus") == 1
    assert library.lexical.count() == len(library.documents.chunks(behind[0]))
