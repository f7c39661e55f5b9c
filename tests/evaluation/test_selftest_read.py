"""The self-test measures what the application reads: the labels follow the text through the files' readers."""

from __future__ import annotations

import pytest

from desktop_rag.evaluation.selftest_corpus import Document, Planted, documents
from desktop_rag.evaluation.selftest_read import as_read, moved


def test_every_planted_value_is_found_again_in_what_is_read() -> None:
    corpus = documents()
    for written, read in zip(corpus, as_read(corpus), strict=True):
        assert (read.id, read.genre, read.language) == (written.id, written.genre, written.language)
        assert [(read.text[s.start : s.end], s.category, s.label) for s in read.spans] == [
            (written.text[s.start : s.end], s.category, s.label) for s in written.spans
        ]


def test_a_row_of_a_table_is_measured_with_its_headings() -> None:
    table = next(document for document in documents() if document.genre == "table" and document.language == "en")
    (read,) = as_read([table])
    born = next(span for span in read.spans if span.category == "birth_date")
    assert read.text[: born.start].endswith("date of birth: ")
    assert not table.text[: table.spans[1].start].endswith("date of birth: ")


def test_a_value_that_reading_loses_is_said_with_its_document() -> None:
    document = Document("en-note-1", "en", "note", "Call Ada Byron.", (Planted(5, 14, "person", "PERSON"),))
    with pytest.raises(ValueError, match="en-note-1 is lost in reading: person"):
        moved(document, "Call nobody.")
