"""Presentations, OpenDocument texts, rich text and files with a password."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msoffcrypto.format.ooxml import OOXMLFile  # type: ignore[import-untyped]
from odfdo import Document, Header, List, Paragraph, Row, Table
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo, Page
from desktop_rag.documents.parsers import Part
from desktop_rag.documents.parsers.rtf import parse as parse_rtf
from desktop_rag.documents.read import read
from desktop_rag.documents.source import MemorySource
from desktop_rag.errors import DocumentError

Pages = Callable[..., list[Page]]


def refusal(path: Path, **options: object) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        list(read(path, **options))  # type: ignore[arg-type]
    return caught.value


def assert_well_formed(parts: list[Part]) -> None:
    for page in parts:
        if isinstance(page, Page):
            end = 0
            for block in page.blocks:
                assert end <= block.start < block.end <= len(page.text), "blocks overlap or lie outside the text"
                end = block.end


def rewritten(path: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """The zip with the content of each part passed through `change`."""
    copy = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    path.write_bytes(copy.getvalue())
    return path


@pytest.fixture
def slides(tmp_path: Path) -> Path:
    deck = Presentation()
    deck.core_properties.title = "Boiler report"
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "Overview"
    for left, top, words in ((5, 4, "third"), (5, 2, "second"), (1, 2, "first")):
        slide.shapes.add_textbox(Inches(left), Inches(top), Inches(2), Inches(1)).text_frame.text = words
    group = slide.shapes.add_group_shape()
    group.shapes.add_textbox(Inches(1), Inches(6), Inches(2), Inches(1)).text_frame.text = "in a group"
    slide.notes_slide.notes_text_frame.text = "Mention the valve."
    second = deck.slides.add_slide(deck.slide_layouts[5])
    second.shapes.title.text = "Figures"
    table = second.shapes.add_table(2, 2, Inches(1), Inches(2), Inches(4), Inches(1)).table
    for row, column, words in ((0, 0, "Name"), (0, 1, "Age"), (1, 0, "Anna"), (1, 1, "34")):
        table.cell(row, column).text = words
    data = CategoryChartData()  # type: ignore[no-untyped-call]
    data.categories = ["Q1", "Q2"]
    data.add_series("Sales", (10, 20.5))  # type: ignore[no-untyped-call]
    second.shapes.add_chart(XL_CHART_TYPE.BAR_CLUSTERED, Inches(1), Inches(4), Inches(4), Inches(3), data)
    path = tmp_path / "deck.pptx"
    deck.save(str(path))
    return path


def test_slides_are_numbered_pages_in_reading_order(slides: Path, pages_of: Pages) -> None:
    first, second = pages_of(slides)
    assert (first.number, second.number) == (1, 2)
    assert first.text.split("\n\n") == [
        "Overview", "first", "second", "third", "in a group", "Notes:", "Mention the valve.",
    ]  # fmt: skip
    assert [block.level for block in first.blocks if block.kind == "heading"] == [1]
    assert next(iter(read(slides))) == DocumentInfo("pptx", "Boiler report", 2)
    rows = [(second.text[b.start : b.end], b.header) for b in second.blocks if b.kind == "row"]
    assert rows[0] == ("Name: Anna; Age: 34", "Name; Age")
    assert ("Q1; Sales: 10", "Sales") in rows
    assert ("Q2; Sales: 20.5", "Sales") in rows


def test_a_slide_show_is_read_like_a_presentation(slides: Path, pages_of: Pages) -> None:
    show = b"presentationml.slideshow.main+xml"
    rewritten(slides, lambda _, data: data.replace(b"presentationml.presentation.main+xml", show))
    assert pages_of(slides.rename(slides.with_suffix(".ppsx")))[0].text.startswith("Overview")


def test_a_chart_that_claims_billions_of_points_costs_no_time(slides: Path, pages_of: Pages) -> None:
    rewritten(slides, lambda _, data: data.replace(b'ptCount val="2"', b'ptCount val="4000000000"'))
    assert "Q2; Sales: 20.5" in pages_of(slides)[1].text


def test_external_entities_of_a_slide_are_not_read(slides: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("PRIVATE", encoding="utf-8")
    doctype = f'<!DOCTYPE p [<!ENTITY e SYSTEM "{secret.as_uri()}">]><p:sld '.encode()

    def attack(name: str, data: bytes) -> bytes:
        return data.replace(b"<p:sld ", doctype).replace(b"first", b"&e;") if "slides/slide1.xml" in name else data

    rewritten(slides, attack)
    try:
        parts = list(read(slides))
    except DocumentError:
        return
    assert not any("PRIVATE" in part.text for part in parts if isinstance(part, Page))


def test_a_bomb_in_a_presentation_is_refused_before_it_is_unpacked(slides: Path) -> None:
    with zipfile.ZipFile(slides, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ppt/media/zeros.bin", bytes(30_000_000))
    assert refusal(slides).code == "too_large"


def test_a_presentation_that_ends_early_is_unreadable(slides: Path) -> None:
    data = slides.read_bytes()
    for share in (0.3, 0.9):
        slides.write_bytes(data[: int(len(data) * share)])
        assert refusal(slides).code == "unreadable"


def test_a_password_opens_an_office_file_in_memory(slides: Path, pages_of: Pages) -> None:
    locked = io.BytesIO()
    OOXMLFile(io.BytesIO(slides.read_bytes())).encrypt("sesame", locked)
    slides.write_bytes(locked.getvalue())
    assert (refusal(slides).code, refusal(slides).hint) == ("encrypted", "Enter its password to add it.")
    assert "does not open" in refusal(slides, password="wrong").message
    assert pages_of(slides, password="sesame")[0].text.startswith("Overview")
    assert sorted(path.name for path in slides.parent.iterdir()) == ["deck.pptx"]


def test_a_file_that_wants_too_many_rounds_is_refused(slides: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = io.BytesIO()
    OOXMLFile(io.BytesIO(slides.read_bytes())).encrypt("sesame", locked)
    slides.write_bytes(locked.getvalue())
    monkeypatch.setattr("desktop_rag.documents.parsers.locked._MOST_ROUNDS", 99_999)
    assert "without a password" in refusal(slides, password="sesame").hint


@pytest.fixture
def text(tmp_path: Path) -> Path:
    document = Document("text")
    document.body.clear()
    document.body.append(Header(2, "Costs"))
    paragraph = Paragraph("The boiler was serviced.")
    paragraph.insert_note(after="boiler", note_id="n1", citation="1", body="By Anna.")
    document.body.append(paragraph)
    document.body.append(List(["valve", "pump"]))
    table = Table("T")
    for values in (["Name", "Age"], ["Bob", "41"]):
        table.append_row(_row(values))
    document.body.append(table)
    path = tmp_path / "text.odt"
    document.save(path)
    return path


def _row(values: list[str]) -> Row:
    row = Row()
    row.set_values(values)
    for cell, value in zip(row.cells, values, strict=True):
        cell.clear()
        cell.append(Paragraph(value))
        row.set_cell(cell.x or 0, cell)
    return row


def test_an_opendocument_text_keeps_its_structure(text: Path, pages_of: Pages) -> None:
    (page,) = pages_of(text)
    found = [(block.kind, page.text[block.start : block.end]) for block in page.blocks]
    assert found == [
        ("heading", "Costs"), ("paragraph", "The boiler was serviced."), ("paragraph", "By Anna."),
        ("list", "valve"), ("list", "pump"), ("row", "Name: Bob; Age: 41"),
    ]  # fmt: skip
    assert page.blocks[0].level == 2
    assert page.blocks[-1].header == "Name; Age"


def test_repeated_spaces_of_an_opendocument_text_are_bounded(text: Path, pages_of: Pages) -> None:
    many = b'The<text:s text:c="2000000000"/> boiler'
    rewritten(text, lambda name, data: data.replace(b"The boiler", many) if name == "content.xml" else data)
    assert len(pages_of(text)[0].text) < 1000


def test_an_opendocument_file_that_declares_entities_is_refused(text: Path) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><office:document-content '
    rewritten(text, lambda name, data: data.replace(b"<office:document-content ", bomb))
    assert refusal(text).code == "unreadable"


def test_an_encrypted_opendocument_file_says_so(text: Path) -> None:
    mark = b"<manifest:encryption-data/></manifest:manifest>"
    rewritten(text, lambda name, data: data.replace(b"</manifest:manifest>", mark))
    assert refusal(text, password="x").code == "encrypted"


def test_slides_of_opendocument_are_pages(tmp_path: Path, pages_of: Pages) -> None:
    from odfdo import DrawPage, Frame

    deck = Document("presentation")
    deck.body.clear()
    for words in ("One", "Two"):
        page = DrawPage(words, name=words)
        page.append(Frame.text_frame(Paragraph(words), presentation_class="title"))
        deck.body.append(page)
    deck.save(tmp_path / "deck.odp")
    pages = pages_of(tmp_path / "deck.odp")
    assert [(page.number, page.text, page.blocks[0].kind) for page in pages] == [
        (1, "One", "heading"), (2, "Two", "heading"),
    ]  # fmt: skip


RTF = rb"""{\rtf1\ansi\ansicpg1250\deff0{\fonttbl{\f0\fcharset238 Times;}}
{\header Page head\par}Pr\'e1ce v \u8364?100{\footnote\pard A note.}\par
{\pict\pngblip\bin5 }}}}} 89504e470d0a}
\trowd\intbl Name\cell Age\cell\row\trowd\intbl Anna\cell 34\cell\row\pard
{\shp{\*\shpinst{\sp{\sn x}{\sv 1}}{\shptxt \pard In a box\par}}}Grin \u-10179?\u-8703?\par}"""


def test_rich_text_with_notes_boxes_and_tables(tmp_path: Path, pages_of: Pages) -> None:
    path = tmp_path / "letter.rtf"
    path.write_bytes(RTF)
    (page,) = pages_of(path)
    assert page.text.startswith("Práce v €100")
    for words in ("Page head", "A note.", "In a box", "Name: Anna; Age: 34", "Grin \U0001f601"):
        assert words in page.text, f"{words} is missing"
    assert "89504e" not in page.text


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=40), st.integers(0, len(RTF)), st.integers(0, 60))
def test_damaged_rich_text_is_read_or_refused_and_always_the_same(noise: bytes, place: int, gone: int) -> None:
    source = MemorySource("x.rtf", RTF[:place] + noise + RTF[place + gone :])
    results: list[list[Part] | str] = []
    for _ in range(2):
        try:
            parts: list[Part] = list(parse_rtf(source, limits=Limits()))
        except DocumentError as failure:
            results.append(failure.code)
        else:
            assert_well_formed(parts)
            results.append(parts)
    assert results[0] == results[1]


@pytest.mark.parametrize(
    "source",
    [
        r"Seen {\v hid\{den\}\par more}again",
        r"Seen \v hidden\v0 again",
        r"Seen \v\b hidden\plain again",
        r"{\deleted\revauthdel1 gone}Seen {\v {\b deeper} hidden}again",
        r"Seen {\deleted gone \deleted0}again {\*\xe {\v indexed}}",
        r"Seen \viewkind4\vertalt again",
    ],
)
def test_hidden_and_deleted_text_is_left_out_of_rich_text(source: str) -> None:
    data = rb"{\rtf1\ansi " + source.encode() + rb"\par Next \\v 1}"
    _, page = parse_rtf(MemorySource("a.rtf", data), limits=Limits())
    assert isinstance(page, Page)
    assert page.text.split() == ["Seen", "again", "Next", r"\v", "1"]
