"""What was recognised and found before an interruption is not done again, and says nothing without the user's file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageDraw, ImageFont

from desktop_rag.documents.model import Block, Page
from desktop_rag.privacy.finding import Finding
from desktop_rag.privacy.findings import find_in_page
from desktop_rag.workers import cleaning, indexing
from desktop_rag.workers import journal as journals
from desktop_rag.workers.journal import Journal
from tests.workers.driving import add, everything, run

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from desktop_rag.workers.library import Library

pytestmark = pytest.mark.slow

PAGE = Page(2, None, "Jean Rivera pays.", (Block("heading", 0, 4, 1), Block("row", 5, 11, 0, "Name")), 0.93)


@pytest.fixture
def row(library: Library, tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "scan.pdf"
    path.write_bytes(b"the bytes of a scan")
    document = library.documents.add(path, library.default_collection()["id"], "pseudonymise", False)
    return library.documents.row(document)


def finish(steps: Generator[None, None, Any]) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


def test_a_page_is_known_to_who_has_the_file(library: Library, row: dict[str, Any]) -> None:
    finish(Journal(library.db, row).keep_page(PAGE, None))
    assert finish(Journal(library.db, row).pages(None)) == {2: PAGE}
    assert "Rivera" not in everything(library)


@pytest.mark.parametrize("change", ["file", "password", "gone", "document", "reader"])
def test_a_page_is_known_to_nobody_else(
    library: Library, row: dict[str, Any], tmp_path: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(Journal(library.db, row).keep_page(PAGE, "sesame"))
    password = "sesame"
    if change == "file":
        (tmp_path / "scan.pdf").write_bytes(b"the bytes of a scam")
    elif change == "password":
        password = "simsim"
    elif change == "gone":
        (tmp_path / "scan.pdf").unlink()
    elif change == "document":
        other = library.documents.add(tmp_path / "scan.pdf", row["collection_id"], "pseudonymise", False)
        library.db.execute("UPDATE journal SET document_id = ?", (other,))
        row = library.documents.row(other)
    else:
        monkeypatch.setattr(journals, "PARSER_VERSION", "another")
    assert finish(Journal(library.db, row).pages(password)) == {}


def test_a_page_whose_file_is_gone_is_not_kept(library: Library, row: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "scan.pdf").unlink()
    finish(Journal(library.db, row).keep_page(PAGE, None))
    assert library.db.execute("SELECT count(*) FROM journal").fetchone()[0] == 0


def test_findings_hold_for_the_versions_that_found_them(
    library: Library, row: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [PAGE, Page(3, None, "Nobody is named.")]
    found = {0: [Finding(0, 11, "PERSON", 0.85)], 1: []}
    Journal(library.db, row).keep_findings(texts, found)
    assert Journal(library.db, row).findings(texts) == found
    monkeypatch.setattr(journals, "SCRUBBER_VERSION", "another")
    assert Journal(library.db, row).findings(texts) == {}


def test_findings_hold_for_the_text_they_were_found_in(library: Library, row: dict[str, Any]) -> None:
    """A mail may be replaced between two starts: places of the old attachment's names would leave the new ones bare."""
    Journal(library.db, row).keep_findings([PAGE, PAGE], {0: [Finding(0, 11, "PERSON", 0.85)], 1: []})
    other = Page(2, None, "Erika Blum pays")
    assert Journal(library.db, row).findings([other, PAGE]) == {1: []}
    assert Journal(library.db, row).findings([other]) == {}


def scan(path: Path, pages: int) -> Path:
    font = ImageFont.load_default(36)
    frames = []
    for number in range(1, pages + 1):
        frame = Image.new("L", (1000, 400), "white")
        text = f"Invoice number {number}\nJean Rivera pays {number} euros.\nThe boiler is serviced in October."
        ImageDraw.Draw(frame).multiline_text((60, 60), text, font=font, fill=0, spacing=20)
        frames.append(frame)
    frames[0].save(path, save_all=True, append_images=frames[1:])
    return path


def interrupted(library: Library, path: Path, event: str, enough: Callable[[dict[str, Any]], bool]) -> None:
    """Add a file and stop at an event, as a kill would."""
    steps = indexing.add(library, [str(path)], library.default_collection()["id"], "pseudonymise", review=False)
    assert any(step and step["event"] == event and enough(step) for step in steps), f"no such {event}"
    steps.close()
    library.close()


def test_a_scan_goes_on_at_the_page_it_came_to(
    open_library: Callable[[], Library], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(open_library(), scan(tmp_path / "scan.tiff", 4), "reading", lambda told: told["pages_ocr"] == 2)
    library = open_library()
    (document,) = library.documents.unfinished()
    assert "Rivera" not in everything(library)

    asked: list[list[int]] = []
    reading = library.parser.read

    def read(*args: Any, **options: Any) -> Any:
        asked.append(sorted(options["known"]))
        return reading(*args, **options)

    monkeypatch.setattr(library.parser, "read", read)
    (row,) = run(indexing.resume(library))[1]["documents"]
    assert asked == [[1, 2]], "the pages that were recognised are known"
    assert (row["id"], row["state"], row["pages_read"], row["pages_ocr"]) == (document, "ready", 4, 4)
    pages = library.documents.page_rows(document)
    assert [f"number {page['number']}" in page["text"] for page in pages] == [True] * 4
    assert all(page["confidence"] > 0.8 for page in pages)
    assert library.db.execute("SELECT count(*) FROM journal").fetchone()[0] == 0, "nothing is kept of what is ready"


def test_a_scan_under_review_is_recognised_once(library: Library, tmp_path: Path) -> None:
    (row,) = add(library, scan(tmp_path / "scan.tiff", 2), review=True)
    assert row["state"] == "reviewing"
    assert sorted(finish(Journal(library.db, library.documents.row(row["id"])).pages(None))) == [1, 2]
    run(indexing.accept(library, [row["id"]], {}))
    assert library.documents.row(row["id"])["state"] == "ready"
    assert library.db.execute("SELECT count(*) FROM journal").fetchone()[0] == 0


def test_personal_data_is_looked_for_once_on_each_page(
    open_library: Callable[[], Library], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleaning, "_NOTE_SECONDS", 0.0)
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join('{"name": "Jean Rivera", "note": "' + "paid " * 60 + f'{n}"}}' for n in range(1200)))
    total: list[int] = []

    def enough(told: dict[str, Any]) -> bool:
        total.append(told["pages_to_check"])
        return bool(told["pages_checked"] == 2)

    interrupted(open_library(), path, "checking", enough)
    assert total[0] > 3
    library = open_library()
    looked: list[int] = []

    def find(page: Page, detector: Any) -> Any:
        looked.append(len(page.text))
        return find_in_page(page, detector)

    monkeypatch.setattr(cleaning, "find_in_page", find)
    (row,) = run(indexing.resume(library))[1]["documents"]
    assert row["state"] == "ready"
    assert len(looked) == total[0] - 2
    assert row["pii"]["PERSON"] == 1200, "what was found before the interruption is replaced too"


def test_a_failed_document_leaves_no_notes(library: Library, tmp_path: Path, row: dict[str, Any]) -> None:
    from desktop_rag.errors import DocumentError

    finish(Journal(library.db, row).keep_page(PAGE, None))
    library.documents.fail(row["id"], DocumentError("unreadable", "It cannot be read.", "Scan it again."))
    assert library.db.execute("SELECT count(*) FROM journal").fetchone()[0] == 0
