"""Spreadsheets: rows with the names of their columns, and sheets made to fill the memory."""

from __future__ import annotations

import datetime as dt
import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook  # type: ignore[import-untyped]
from openpyxl.comments import Comment  # type: ignore[import-untyped]

from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import Page
from desktop_rag.documents.parsers.sheet_extent import check_old, drawn_together
from desktop_rag.documents.read import read
from desktop_rag.errors import DocumentError

Pages = Callable[..., list[Page]]
NAMES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
)


def saved(book: Workbook, path: Path) -> Path:
    book.save(path)
    book.close()
    return path


def rows(page: Page) -> list[str]:
    return [page.text[block.start : block.end] for block in page.blocks if block.kind == "row"]


def ods(path: Path, inner: str, manifest: str = "<manifest/>") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr(
            "content.xml",
            f"<office:document-content {NAMES}><office:body><office:spreadsheet><table:table table:name='S'>{inner}"
            "</table:table></office:spreadsheet></office:body></office:document-content>",
        )
    return path


def test_rows_bear_the_names_of_their_columns(tmp_path: Path, pages_of: Pages) -> None:
    book = Workbook()
    sheet = book.active
    sheet.title = "Costs"
    sheet["B2"] = "Report of March"
    for row in (["Name", "Born", "Share", "Paid"], ["Anna", dt.date(1990, 3, 1), 12.0, True], [], ["Bob", None, 0.5]):
        sheet.append([None, *row])
    secret = book.create_sheet("Old")
    secret.append(["Name", "Age"])
    secret.append(["Eve", 7])
    secret.sheet_state = "hidden"
    first, second = pages_of(saved(book, tmp_path / "costs.xlsx"))
    assert rows(first) == [
        "Report of March", "Name: Anna; Born: 1990-03-01; Share: 12; Paid: TRUE", "Name: Bob; Share: 0.5",
    ]  # fmt: skip
    assert (first.number, first.locator) == (None, "sheet 1, rows 2–6")
    assert [block.header for block in first.blocks][-1] == "Name; Born; Share; Paid"
    assert (second.locator, rows(second)) == ("sheet 2 (hidden), rows 2–2", ["Name: Eve; Age: 7"])
    assert [block.kind for block in second.blocks] == ["heading", "row"]


def test_a_long_sheet_is_cut_every_200_rows(tmp_path: Path, pages_of: Pages) -> None:
    book = Workbook()
    book.active.append(["Name", "Number"])
    for number in range(450):
        book.active.append([f"n{number}", number])
    found = pages_of(saved(book, tmp_path / "long.xlsx"))
    assert [page.locator for page in found] == [
        "sheet 1, rows 2–200", "sheet 1, rows 201–400", "sheet 1, rows 401–451",
    ]  # fmt: skip
    assert sum(len(rows(page)) for page in found) == 450


def test_long_cells_do_not_make_a_page_without_bound(tmp_path: Path) -> None:
    book = Workbook()
    for _ in range(20):
        book.active.append(["x " * 400])
    path = saved(book, tmp_path / "wide.xlsx")
    pages = [part for part in read(path, limits=Limits(max_chars=1000)) if isinstance(part, Page)]
    assert max(len(page.text) for page in pages) <= 1000
    assert len(pages) >= 8


def test_a_value_of_merged_cells_stands_in_each_of_their_rows(tmp_path: Path, pages_of: Pages) -> None:
    book = Workbook()
    for row in (["Town", "Name"], ["Bonn", "Anna"], [None, "Bob"], ["Kiel", "Eve"]):
        book.active.append(row)
    book.active.merge_cells("A2:A3")
    (page,) = pages_of(saved(book, tmp_path / "merged.xlsx"))
    assert rows(page) == ["Town: Bonn; Name: Anna", "Town: Bonn; Name: Bob", "Town: Kiel; Name: Eve"]


def test_remarks_come_last(tmp_path: Path, pages_of: Pages) -> None:
    book = Workbook()
    book.active["A1"] = "word"
    book.active["A1"].comment = Comment("Is this right?", "Anna")
    assert pages_of(saved(book, tmp_path / "remarks.xlsx"))[-1].text == "A1 Anna: Is this right?"


def test_cells_in_opposite_corners_cost_no_memory(tmp_path: Path, pages_of: Pages) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for first in (None, "first"):
        book = Workbook()
        book.active["XFD1048576"] = "last"
        if first:
            book.active["A1"] = first
        found = pages_of(saved(book, tmp_path / "corner.xlsx"))
        assert found[-1].locator == "sheet 1, rows 1048576–1048576"
        assert [row for page in found for row in rows(page)] == [*([first] if first else []), "last"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000, "more than 300 MB"


def test_a_sheet_that_no_drawing_together_makes_small_is_refused(tmp_path: Path) -> None:
    book = Workbook()
    for place in range(1, 3001):
        book.active.cell(place * 300, place, "x")
    with pytest.raises(DocumentError) as caught:
        list(read(saved(book, tmp_path / "diagonal.xlsx")))
    assert caught.value.code == "too_large"


def test_one_long_text_used_everywhere_is_refused() -> None:
    cells = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 2001))
    copy = io.BytesIO()
    with zipfile.ZipFile(copy, "w") as archive:
        archive.writestr("xl/sharedStrings.xml", f"<sst><si><t>{'x' * 400_000}</t></si></sst>")
        archive.writestr("xl/worksheets/sheet1.xml", f"<worksheet><sheetData>{cells}</sheetData></worksheet>")
    with zipfile.ZipFile(copy) as archive, pytest.raises(DocumentError):
        drawn_together(archive)


def test_cells_far_apart_in_an_old_workbook_are_refused() -> None:
    def cell(row: int, column: int) -> bytes:
        return struct.pack("<HHHHHd", 0x0203, 14, row, column, 0, 1.0)

    begin = struct.pack("<HHI", 0x0809, 4, 0)
    check_old(begin + cell(0, 0) + cell(65_535, 0))
    with pytest.raises(DocumentError):
        check_old(begin + cell(0, 0) + cell(65_535, 255))


def test_repeated_rows_of_an_opendocument_table_are_bounded(tmp_path: Path, pages_of: Pages) -> None:
    word = "<table:table-cell office:value-type='string'{}><text:p>{}</text:p></table:table-cell>"
    many = f'<table:table-row table:number-rows-repeated="900000">{word.format("", "again")}{word.format("", "b")}'
    tail = '<table:table-row table:number-rows-repeated="1048000"><table:table-cell/></table:table-row>'
    last = f"<table:table-row>{word.format('', 'last')}</table:table-row>"
    wide = f"<table:table-row>{word.format('', 'x') * 9}</table:table-row>"
    path = ods(tmp_path / "many.ods", f"{many}</table:table-row>{wide}{tail}{last}{tail}")
    found = [row for page in pages_of(path) for row in rows(page)]
    assert found == ["again: x; b: x; x; x; x; x; x; x; x", "again: last"]


def test_an_encrypted_opendocument_table_says_so(tmp_path: Path) -> None:
    path = ods(tmp_path / "locked.ods", "", "<manifest><encryption-data/></manifest>")
    with pytest.raises(DocumentError) as caught:
        list(read(path))
    assert caught.value.code == "encrypted"


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_a_spreadsheet_that_ends_early_is_unreadable(tmp_path: Path, share: float) -> None:
    book = Workbook()
    book.active.append(["word"])
    path = saved(book, tmp_path / "cut.xlsx")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(DocumentError) as caught:
        list(read(path))
    assert caught.value.code == "unreadable"


def test_a_workbook_whose_parts_are_damaged_is_unreadable(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["word"])
    path = saved(book, tmp_path / "damaged.xlsx")
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for broken in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels"):
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in parts.items():
                archive.writestr(name, data[: len(data) // 2] if name == broken else data)
        with pytest.raises(DocumentError) as caught:
            list(read(path))
        assert caught.value.code in ("unreadable", "empty"), broken
