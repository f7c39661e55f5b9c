"""Boxes on PDF pages: a word is found where it was drawn, however the page is turned or cropped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reportlab.pdfbase.pdfmetrics import stringWidth  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from desktop_rag.documents.locate import boxes
from desktop_rag.documents.model import Box, Page
from desktop_rag.documents.read import read
from desktop_rag.documents.source import FileSource
from desktop_rag.errors import DocumentError

Pdf = Callable[..., Path]
Turn = Callable[[Canvas, int], None]
WIDTH, HEIGHT = 612, 792
CAPITALS = 0.718
"""Height of Helvetica's capital letters in ems."""
WORD = st.text("abcdefghiklmnoprstuvwxyzABCDEFGHKLMNPRST0123456789", min_size=1, max_size=9)


def first_page(path: Path) -> Page:
    return next(part for part in read(path) if isinstance(part, Page))


def near(one: float, other: float) -> bool:
    return abs(one - other) <= 2


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.lists(WORD, min_size=1, max_size=6), min_size=1, max_size=8),
    size=st.sampled_from([8, 11, 18]),
    turn=st.sampled_from([0, 90, 180, 270]),
    data=st.data(),
)
def test_law_a_word_lies_where_it_was_drawn(
    make_pdf: Pdf, turn_page: Turn, rows: list[list[str]], size: int, turn: int, data: st.DataObject
) -> None:
    row = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.integers(0, len(rows[row]) - 1))
    word = rows[row][column]

    def draw(canvas: Canvas) -> None:
        turn_page(canvas, turn)
        canvas.setFont("Helvetica", size)
        for index, words in enumerate(rows):
            canvas.drawString(72, 700 - index * 1.5 * size, " ".join(words))

    path = make_pdf(draw)
    start = start_of_word(first_page(path).text, rows, row, column)
    found, page_size = boxes(FileSource(path), 1, start, start + len(word))

    assert page_size == pytest.approx((WIDTH, HEIGHT))
    (box,) = found
    left = 72 + stringWidth("".join(w + " " for w in rows[row][:column]), "Helvetica", size)
    baseline = HEIGHT - (700 - row * 1.5 * size)
    assert near(box.x, left)
    assert near(box.x + box.width, left + stringWidth(word, "Helvetica", size))
    assert box.y <= baseline - size * CAPITALS + 2, "the letters stick out of the box"
    assert box.y + box.height >= baseline - 2, "the letters stick out of the box"
    assert box.height < 1.6 * size, "the box covers more than a line"
    assert word in text_inside(path, box, turn)


def start_of_word(text: str, rows: list[list[str]], row: int, column: int) -> int:
    """The offset of one of the words in the text, found by walking over all of them."""
    start = 0
    for index, words in enumerate(rows):
        for place, word in enumerate(words):
            start = text.index(word, start)
            if (index, place) == (row, column):
                return start
            start += len(word)
    raise AssertionError("no such word")


def text_inside(path: Path, box: Box, turn: int) -> str:
    """What pdfium finds in a box, which has to be turned back to pdfium's coordinates first."""
    corners = [(box.x, box.y), (box.x + box.width, box.y + box.height)]
    stored = {
        0: [(x, HEIGHT - y) for x, y in corners],
        90: [(y, x) for x, y in corners],
        180: [(WIDTH - x, y) for x, y in corners],
        270: [(HEIGHT - y, WIDTH - x) for x, y in corners],
    }[turn]
    left, right = sorted(x for x, _ in stored)
    bottom, top = sorted(y for _, y in stored)
    document = pypdfium2.PdfDocument(path)
    found = document[0].get_textpage().get_text_bounded(left - 0.5, bottom - 0.5, right + 0.5, top + 0.5)
    document.close()
    return str(found)


def test_a_passage_over_lines_and_a_broken_word_has_a_box_for_each_line(make_pdf: Pdf) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 12)
        for index, line in enumerate(("We keep the docu-", "mentation of every", "intervention.")):
            canvas.drawString(72, 700 - 14 * index, line)

    path = make_pdf(draw)
    text = first_page(path).text
    start = text.index("documentation")
    found, _ = boxes(FileSource(path), 1, start, start + len("documentation"))
    assert len(found) == 2
    assert near(found[0].x, 72 + stringWidth("We keep the ", "Helvetica", 12))
    assert near(found[1].x, 72)
    assert near(found[1].width, stringWidth("mentation", "Helvetica", 12))
    assert near(found[1].y - found[0].y, 14)
    assert len(boxes(FileSource(path), 1, 0, len(text))[0]) == 3


def test_the_crop_box_moves_the_origin(make_pdf: Pdf) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setCropBox((50, 100, 550, 750))
        canvas.setFont("Helvetica", 12)
        canvas.drawString(72, 700, "Word")

    found, page_size = boxes(FileSource(make_pdf(draw)), 1, 0, 4)
    assert page_size == pytest.approx((500, 650))
    assert near(found[0].x, 22)
    assert found[0].y < 50 < found[0].y + found[0].height + 2


def astral_pdf() -> bytes:
    """A PDF whose letter A stands for a character outside the basic plane; reportlab cannot write one."""
    mapping = (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def "
        b"1 begincodespacerange <00> <FF> endcodespacerange 1 beginbfchar <41> <D83DDE00> endbfchar "
        b"1 beginbfrange <61> <7A> <0061> endbfrange endcmap end end"
    )
    content = b"BT /F1 12 Tf 72 700 Td (abAAc) Tj 0 -20 Td (dAef) Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(mapping), mapping),
    ]
    data = b"%PDF-1.4\n"
    for number, body in enumerate(objects, start=1):
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    return data + b"trailer << /Root 1 0 R >>\n%%EOF"


def test_offsets_are_code_points_also_outside_the_basic_plane(tmp_path: Path) -> None:
    path = tmp_path / "astral.pdf"
    path.write_bytes(astral_pdf())
    page = first_page(path)
    assert page.text == "ab\U0001f600\U0001f600c\nd\U0001f600ef"
    (last,), _ = boxes(FileSource(path), 1, page.text.index("e"), page.text.index("e") + 1)
    assert near(last.x, 72 + stringWidth("dA", "Helvetica", 12))
    assert near(last.width, stringWidth("e", "Helvetica", 12))


def test_what_is_not_there_is_said(make_pdf: Pdf, tmp_path: Path) -> None:
    path = make_pdf(lambda canvas: canvas.drawString(72, 700, "Word"))
    for wrong, number in ((path, 2), (path, 0), (tmp_path / "gone.pdf", 1)):
        with pytest.raises(DocumentError) as failure:
            boxes(FileSource(wrong), number, 0, 1)
        assert failure.value.code == "not_found"
    assert boxes(FileSource(path), 1, 2, 2)[0] == []


def test_a_word_on_a_scanned_page_lies_where_it_was_drawn(make_pdf: Pdf, tmp_path: Path, turn_page: Turn) -> None:
    text = make_pdf(lambda canvas: canvas.drawString(72, 700, "The boiler was serviced in May"), name="text.pdf")
    document = pypdfium2.PdfDocument(text)
    picture = tmp_path / "scan.png"
    document[0].render(scale=2).to_pil().save(picture)
    document.close()

    def draw(canvas: Canvas) -> None:
        turn_page(canvas, 90)
        canvas.drawImage(str(picture), 0, 0, WIDTH, HEIGHT)

    path = make_pdf(draw)
    page = first_page(path)
    assert "".join(page.text.split()) == "TheboilerwasservicedinMay"
    start = page.text.index("serviced")
    (box,), page_size = boxes(FileSource(path), 1, start, start + len("serviced"))
    assert page_size == pytest.approx((WIDTH, HEIGHT))
    left = 72 + stringWidth("The boiler was ", "Helvetica", 12)
    assert box.x == pytest.approx(left, abs=6)
    assert box.x + box.width == pytest.approx(left + stringWidth("serviced", "Helvetica", 12), abs=6)
    assert box.y < HEIGHT - 700 < box.y + box.height
    assert box.height < 30


@pytest.mark.parametrize("turn", [0, 180])
def test_a_filled_in_field_and_a_note_lie_where_the_page_shows_them(make_pdf: Pdf, turn: int) -> None:
    field = {"x": 120, "width": 200, "height": 20}

    def draw(canvas: Canvas) -> None:
        canvas.setPageRotation(turn)
        canvas.drawString(72, 700, "Name:")
        canvas.acroForm.textfield(name="name", tooltip="Full name", value="Jean Rivera", y=690, **field)
        canvas.acroForm.textfield(name="empty", tooltip="Street", value="", y=650, **field)
        canvas.acroForm.textfield(name="town", tooltip="Town", value="Leer", y=610, **field)
        canvas.textAnnotation("Ask again in May", [300, 500, 320, 520])

    path = make_pdf(draw)
    text = first_page(path).text
    assert text == "Name:\n\nFull name: Jean Rivera\nTown: Leer\n\nAsk again in May"
    places = {"Jean Rivera": (120, 690, 200, 20), "Leer": (120, 610, 200, 20), "again": (300, 500, 20, 20)}
    for words, (x, y, width, height) in places.items():
        start = text.index(words)
        (box,), _ = boxes(FileSource(path), 1, start, start + len(words))
        corner = (WIDTH - x - width, y) if turn else (x, HEIGHT - y - height)
        assert (box.x, box.y) == pytest.approx(corner, abs=1), words
        assert (box.width, box.height) == pytest.approx((width, height), abs=1), words
    everything, _ = boxes(FileSource(path), 1, 0, len(text))
    assert len(everything) == 4


def test_a_field_on_a_page_with_nothing_else_is_found(make_pdf: Pdf) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.acroForm.textfield(tooltip="Town", value="Leer", x=120, y=690, width=200, height=20)
        canvas.showPage()

    path = make_pdf(draw)
    text = first_page(path).text
    assert text == "Town: Leer"
    (box,), _ = boxes(FileSource(path), 1, 0, len(text))
    assert (box.x, box.y) == pytest.approx((120, HEIGHT - 710), abs=1)
