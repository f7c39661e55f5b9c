"""Word files: everything a reader sees, in order, also where python-docx does not look."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import pytest
from docx.document import Document
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo, Page
from desktop_rag.documents.read import read
from desktop_rag.errors import DocumentError

Pages = Callable[..., list[Page]]


def saved(document: Document, tmp_path: Path, name: str = "made.docx") -> Path:
    path = tmp_path / name
    document.save(str(path))
    return path


def blocks(page: Page) -> list[tuple[str, int, str, str]]:
    return [(b.kind, b.level, b.header, page.text[b.start : b.end]) for b in page.blocks]


def rewritten(path: Path, target: Path, **changes: bytes | None) -> Path:
    """A copy of a Word file with some parts replaced, or left out where the change is None."""
    named = {name.replace("__", "/").replace("_dot_", "."): data for name, data in changes.items()}
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        for entry in source.infolist():
            data = named.get(entry.filename, source.read(entry))
            if data is not None:
                copy.writestr(entry.filename, data)
    return target


def test_structure_in_document_order(tmp_path: Path, pages_of: Pages) -> None:
    document = docx.Document()
    document.core_properties.title = "The lease"
    document.add_heading("Lease", 0)
    document.add_heading("Parties", 1)
    document.add_paragraph("Between Ann and\tBob.\nBoth agree.")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip((c for row in table.rows for c in row.cells), ("Item", "Price", "Rent", "500"), strict=True):
        cell.text = text
    document.add_paragraph("first", style="List Bullet")
    document.add_paragraph("second", style="List Number")
    document.sections[0].footer.paragraphs[0].text = "Page footer"
    path = saved(document, tmp_path)
    assert next(read(path)) == DocumentInfo("docx", "The lease", None)
    (page,) = pages_of(path)
    assert (page.number, page.locator) == (None, None)
    assert blocks(page) == [
        ("heading", 1, "", "Lease"),
        ("heading", 1, "", "Parties"),
        ("paragraph", 0, "", "Between Ann and\tBob.\nBoth agree."),
        ("row", 0, "", "Item | Price"),
        ("row", 0, "Item | Price", "Rent | 500"),
        ("list", 0, "", "first"),
        ("list", 0, "", "second"),
        ("paragraph", 0, "", "Page footer"),
    ]


def test_merged_cells_come_once_and_frames_of_one_column_are_no_table(tmp_path: Path, pages_of: Pages) -> None:
    document = docx.Document()
    table = document.add_table(rows=2, cols=3)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "wide"
    table.cell(0, 2).text = "end"
    table.cell(1, 0).text = "a"
    inner = table.cell(1, 1).add_table(rows=1, cols=1)
    inner.cell(0, 0).text = "nested"
    frame = document.add_table(rows=1, cols=1)
    frame.cell(0, 0).text = "boxed paragraph"
    (page,) = pages_of(saved(document, tmp_path))
    assert [text for *_, text in blocks(page)] == ["wide | end", "a | nested", "boxed paragraph"]


def test_text_boxes_content_controls_and_tracked_changes(tmp_path: Path, pages_of: Pages) -> None:
    document = docx.Document()
    body = document.element.body
    w = nsdecls("w")
    for xml in (
        f"<w:sdt {w}><w:sdtContent><w:p><w:r><w:t>in a control</w:t></w:r></w:p></w:sdtContent></w:sdt>",
        f"<w:p {w}><w:r><w:t>before box</w:t></w:r><w:r><w:pict><w:txbxContent>"
        "<w:p><w:r><w:t>in the box</w:t></w:r></w:p></w:txbxContent></w:pict></w:r></w:p>",
        f'<w:p {w}><w:del w:id="1" w:author="x"><w:r><w:delText>deleted</w:delText></w:r></w:del>'
        '<w:ins w:id="2" w:author="x"><w:r><w:t>inserted</w:t></w:r></w:ins>'
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r></w:p>",
    ):
        body.insert(len(body) - 1, parse_xml(xml))
    (page,) = pages_of(saved(document, tmp_path))
    assert page.text == "in a control\n\nbefore box\n\nin the box\n\ninserted"


def test_comments_are_read(tmp_path: Path, pages_of: Pages) -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("Text.")
    document.add_comment(paragraph.runs, text="A remark.", author="Ann")
    assert pages_of(saved(document, tmp_path))[0].text == "Text.\n\nA remark."


def test_a_word_file_by_any_name_is_one(tmp_path: Path, pages_of: Pages) -> None:
    document = docx.Document()
    document.add_paragraph("Plain words.")
    assert pages_of(saved(document, tmp_path, "report.pdf"))[0].text == "Plain words."


def test_damage_is_said(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_paragraph("Plain words.")
    whole = saved(document, tmp_path)
    cut = tmp_path / "cut.docx"
    cut.write_bytes(whole.read_bytes()[:2000])
    missing = rewritten(whole, tmp_path / "missing.docx", word__document_dot_xml=None)
    garbled = rewritten(whole, tmp_path / "garbled.docx", word__document_dot_xml=b"\x00\x01 no markup")
    for path in (cut, missing, garbled):
        with pytest.raises(DocumentError, match="damaged") as failure:
            list(read(path))
        assert failure.value.code == "unreadable"


def test_a_damaged_side_part_does_not_cost_the_text(tmp_path: Path, pages_of: Pages) -> None:
    document = docx.Document()
    document.add_paragraph("Plain words.")
    path = rewritten(saved(document, tmp_path), tmp_path / "b.docx", word__styles_dot_xml=b"not xml")
    assert pages_of(path)[0].text == "Plain words."


def test_bombs_are_refused_before_they_are_unpacked(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_paragraph("Plain words.")
    path = rewritten(saved(document, tmp_path), tmp_path / "b.docx", word__styles_dot_xml=b" " * 30_000_000)
    for limits in (Limits(), Limits(max_unpacked_bytes=1_000_000), Limits(max_zip_entries=3)):
        with pytest.raises(DocumentError) as failure:
            list(read(path, limits=limits))
        assert failure.value.code == "too_large"
