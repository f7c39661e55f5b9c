"""The self-test's documents as the application reads them: a table's rows come with its headings, mails unfolded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from desktop_rag.documents.model import Page
from desktop_rag.documents.read import read
from desktop_rag.evaluation.selftest_corpus import Document, Planted
from desktop_rag.scratch import scratch


def as_read(corpus: Iterable[Document]) -> Iterator[Document]:
    """Each document with the text that its file's reader gives, and every planted value where it stands in that."""
    with scratch("selftest-reading") as folder:
        for document in corpus:
            path = folder / document.file_name
            write(document, path)
            pages = [part.text for part in read(path) if isinstance(part, Page)]
            path.unlink()
            text = "\n\n".join(pages)
            yield replace(document, text=text, spans=moved(document, text))


def write(document: Document, path: Path) -> None:
    """The document as a file."""
    path.write_text(document.text, encoding="utf-8")


def moved(document: Document, text: str) -> tuple[Planted, ...]:
    """The planted values, in their order, in another text that says the same.

    Raises ValueError naming the document when one of them is not there: nothing could be said of it.
    """
    at = 0
    spans = []
    for span in document.spans:
        value = document.text[span.start : span.end]
        start = text.find(value, at)
        if start < 0:
            raise ValueError(f"a value of {document.id} is lost in reading: {span.category}")
        at = start + len(value)
        spans.append(replace(span, start=start, end=at))
    return tuple(spans)
