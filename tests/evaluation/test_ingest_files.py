"""The documents that reading is measured with are what they claim to be, and the same in every run."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

from desktop_rag.documents.model import Page, UnreadPage
from desktop_rag.documents.read import read
from desktop_rag.evaluation.ingest_extract import compared
from desktop_rag.evaluation.ingest_files import notes, reports, scanned_pdf, text_pdf
from desktop_rag.evaluation.ingest_text import paragraph


def test_the_pdf_has_text_on_every_page_and_the_scan_none(tmp_path: Path) -> None:
    printed = [part for part in read(text_pdf(tmp_path / "a.pdf", 4), recognise=False) if isinstance(part, Page)]
    assert [page.number for page in printed] == [1, 2, 3, 4]
    assert all(len(page.text) > 1500 for page in printed)
    assert len({page.text for page in printed}) == 4
    scanned = list(read(scanned_pdf(tmp_path / "b.pdf", 2, dots_per_inch=40), recognise=False))[1:]
    assert [type(part) for part in scanned] == [UnreadPage, UnreadPage]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pdf", "b.pdf"]


def test_both_ways_read_the_same_pages(tmp_path: Path) -> None:
    told = compared(text_pdf(tmp_path / "a.pdf", 3), ours_first=True)
    assert told["pages"] == 3
    assert told["characters"] > 3000
    assert all(told[name]["cpu_s"] > 0 and told[name]["seconds"] > 0 for name in ("ours", "pdfium"))


def test_the_same_seed_gives_the_same_words() -> None:
    assert paragraph(Random(5), 3) == paragraph(Random(5), 3)
    assert paragraph(Random(5), 3) != paragraph(Random(6), 3)


def test_no_two_reports_are_alike(tmp_path: Path) -> None:
    files = sorted(reports(tmp_path / "reports", 30).iterdir())
    assert len({file.read_text() for file in files}) == len(files) == 30


def test_notes_are_as_old_as_yesterday(tmp_path: Path) -> None:
    files = [path for path in notes(tmp_path / "notes", 120).rglob("*") if path.is_file()]
    assert len(files) == 120
    assert len({path.parent for path in files}) == 2
    assert all(time.time() - path.stat().st_mtime > 80_000 for path in files)
