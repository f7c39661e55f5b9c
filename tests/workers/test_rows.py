"""Documents as the window sees them: what the store holds of a document's pages, told in its row."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from desktop_rag.workers.rows import document_row

if TYPE_CHECKING:
    from desktop_rag.workers.library import Library


def row_of(library: Library, confidences: list[float | None], recognised: int) -> dict[str, object]:
    """The row of a document whose pages were read with these confidences."""
    document = library.documents.add(Path("/x/scan.pdf"), library.default_collection()["id"], "keep", False)
    pages = [
        {"number": number, "locator": None, "confidence": confidence, "spans": []}
        for number, confidence in enumerate(confidences, 1)
    ]
    library.documents.store_findings(document, pages)
    library.documents.update(document, pages=len(pages), pages_read=len(pages), pages_ocr=recognised)
    return document_row(library, document)


def test_pages_of_which_text_recognition_is_unsure_are_named(library: Library) -> None:
    assert row_of(library, [0.995, 0.94, None, 0.99, 0.6], 4)["pages_doubtful"] == [2, 5]


def test_text_that_stood_in_the_file_is_never_doubtful(library: Library) -> None:
    assert row_of(library, [None, None], 0)["pages_doubtful"] == []
