"""The passages behind a kept trace: with their places in the original, and none of what was removed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desktop_rag.workers import questions, tracing
from desktop_rag.workers.removing import remove_document
from tests.workers.driving import add

if TYPE_CHECKING:
    from desktop_rag.workers.library import Library

pytestmark = pytest.mark.slow
WRITTEN = "Jean Rivera signed for the pump. The warranty of the pump P-7 lasts 24 months.\n"


def test_rows_of_a_trace_have_their_passages_until_the_document_goes(library: Library, tmp_path: Path) -> None:
    (tmp_path / "pump.txt").write_text(WRITTEN)
    (tmp_path / "rent.txt").write_text("The rent for the pump room is 1450 euros a month.\n")
    pump, rent = add(library, tmp_path / "pump.txt", tmp_path / "rent.txt")
    traced = questions.prepare(library, {"question": "How long is the pump's warranty?", "collection": None})["trace"]
    chunks = [row["chunk"] for row in traced["rows"]]
    found = {passage["document"]: passage for passage in tracing.passages(library, chunks)}
    assert found.keys() == {pump["id"], rent["id"]}
    held = found[pump["id"]]
    assert WRITTEN[held["start"] : held["end"]].startswith("Jean Rivera signed")
    assert "Rivera" not in held["text"]
    remove_document(library, pump["id"])
    assert {passage["document"] for passage in tracing.passages(library, chunks)} == {rent["id"]}
