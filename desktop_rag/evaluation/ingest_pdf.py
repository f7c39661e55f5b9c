"""Taking the text out of a PDF: our reader against pypdfium2's own text call, both in the `bench` process."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from desktop_rag.evaluation.ingest_files import text_pdf
from desktop_rag.evaluation.ingest_place import Found, Place
from desktop_rag.evaluation.ingest_promises import PROMISES
from desktop_rag.evaluation.rounds import collected

_NAME = "pdf_vs_pdfium"


def against_pdfium(place: Place) -> Found:
    """Rounds of both, after one that loads the libraries and the file.

    Neither waits for anything, so processor time is compared: it does not count what others do to the machine.
    """
    path = str(text_pdf(place.folder / "report.pdf", place.sizes.pages))
    with closing(place.crew.fresh("bench")) as worker:

        def measure(number: int) -> tuple[float, dict[str, Any]]:
            told = worker.call("pdf_text", path=path, ours_first=bool(number % 2))
            parts = {"n": told["pages"], **{name: told[name] for name in ("ours", "pdfium", "characters")}}
            return told["ours"]["cpu_s"] / told["pdfium"]["cpu_s"], parts

        measure(0)
        return (yield from collected(_NAME, measure, PROMISES[_NAME].rounds, extra=0))
