"""Opening a PDF, also a damaged one, with errors a person understands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pypdfium2 as pdfium  # type: ignore[import-untyped]
import pypdfium2.raw as raw  # type: ignore[import-untyped]

from desktop_rag.documents.parsers.pdf_repair import repairs
from desktop_rag.documents.passwords import wrong_password
from desktop_rag.documents.source import FileSource, Source
from desktop_rag.errors import DocumentError

PdfiumError = pdfium.PdfiumError


@contextmanager
def opened(source: Source, password: str | None = None) -> Iterator[Any]:
    """The pypdfium2 document of `source`, closed afterwards.

    Raises DocumentError "encrypted" or "unreadable"; OSError if the file cannot be opened at all.
    """
    document = _open(source, password)
    try:
        yield document
    finally:
        document.close()


def _open(source: Source, password: str | None) -> Any:
    # pdfium reports every failure to open as a damaged file: let the system say first what it thinks.
    with source.open() as stream:
        content = source.path if isinstance(source, FileSource) else stream.read()
    try:
        return pdfium.PdfDocument(content, password=password)
    except pdfium.PdfiumError as failure:
        if failure.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
            raise wrong_password(password, "PDF") from failure
        for data in repairs(source):
            try:
                return pdfium.PdfDocument(data, password=password)
            except pdfium.PdfiumError:
                continue
        raise DocumentError(
            "unreadable",
            "The PDF is damaged and cannot be opened.",
            "It may be an unfinished download: get it again, or print it to a new PDF.",
        ) from failure
